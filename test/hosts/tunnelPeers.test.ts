import { loadInventory } from "../../hosts/inventory";

const TEXT = `
p2p_voters: [h1, h2]
hosts:
${["h1", "h2"]
  .map(
    (name, index) => `  ${name}:
    ssh_host: 192.0.2.${index + 1}
    ringrift_path: /opt/ringrift/ai-service
    p2p_enabled: true
    p2p_url: https://${name}.example.com
    ${name === "h1" ? "role: coordinator" : "status: ready"}`,
  )
  .join("\n")}
`;
const NAMING = { zone: "example.com", hostname: "{node}.{zone}", entry: "p2p" };

function peersOf(tunnels?: object): readonly string[] {
  const options = tunnels ? { tunnels: { ...NAMING, ...tunnels } } : {};
  const host = loadInventory(TEXT, "hosts.yaml", options).plan?.hosts.get("h2");
  return host?.action === "deploy" ? host.peerAddresses : [];
}

describe("a daemon's peers", () => {
  it("are tunnels' names where those are open to it", () => {
    expect(peersOf()).toEqual(["https://h1.example.com"]);
    expect(peersOf({ access: null })).toEqual(["https://h1.example.com"]);
  });

  it("are not behind Access, for which the daemon sends no token", () => {
    expect(peersOf({ access: {} })).toEqual(["192.0.2.1:8770"]);
  });
});
