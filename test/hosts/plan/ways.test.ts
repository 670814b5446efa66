import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadInventory } from "../../../hosts/inventory";
import { hashNumber, loopbackAddress } from "../../../hosts/plan/number";
import { type PlanOptions } from "../../../hosts/plan/planFleet";
import { type DeployHostPlan, type FleetPlan } from "../../../hosts/plan/types";

const paths = { inboundPort: 8779 };
const tunnels = { zone: "example.com", hostname: "{node}.{zone}", entry: "p2p" };

function load(text: string, options: PlanOptions) {
  const { plan, findings } = loadInventory(text, "hosts.yaml", options);
  if (!plan) throw new Error(JSON.stringify(findings));
  return { plan, codes: findings.map(({ code, path }) => `${code} ${path}`) };
}
const host = (plan: FleetPlan, name: string): DeployHostPlan => {
  const found = plan.hosts.get(name);
  if (found?.action !== "deploy") throw new Error(`${name} is not deployed`);
  return found;
};
const transports = (plan: FleetPlan): Record<string, string> =>
  Object.fromEntries(
    [...plan.hosts.values()].flatMap((one) =>
      one.action === "deploy" ? [[one.name, `${one.transport.kind}: ${one.transport.reason}`]] : [],
    ),
  );

/** A virtual machine behind somebody's NAT, a container with and one without an address, and a public machine. */
const UNADDRESSED = `
p2p_voters: [v1, c1, h1]
hosts:
  v1: {ssh_host: 10.0.0.5, p2p_enabled: true, ringrift_path: ~/r, relay_capable: true}
  c1: {ssh_host: ssh.example.com, ssh_port: 20001, is_container: true, p2p_enabled: true, ringrift_path: ~/r}
  c2: {ssh_host: ssh.example.com, ssh_port: 20002, is_container: true, p2p_enabled: true, ringrift_path: ~/r,
       nat_blocked: true, p2p_methods: [direct, relay]}
  h1: {ssh_host: 192.0.2.1, p2p_enabled: true, ringrift_path: ~/r}
`;

describe("hosts without an address in the inventory", () => {
  it.each<[string, PlanOptions]>([
    ["nothing is made", {}],
    ["there are forwarders and nothing else", { paths }],
    ["tunnels are made that daemons would have to be told of", { tunnels, tailnet: true }],
  ])("are unroutable where %s", (_, options) => {
    const { plan, codes } = load(UNADDRESSED, options);
    expect(plan.voters.effective).toEqual(["h1"]);
    expect(plan.voters.rejected).toEqual([
      { node: "c1", reason: "unroutable: no tailnet address, tunnel or public address" },
      { node: "v1", reason: "unroutable: no tailnet address, tunnel or public address" },
    ]);
    expect(plan.relays).toEqual([]);
    expect(transports(plan)).toEqual({
      c1: "none: no tailnet address, tunnel or public address",
      // c2 is refused: nobody could relay for it.
      h1: "direct: public address",
      v1: "none: no tailnet address, tunnel or public address",
    });
    expect(codes).toEqual(
      expect.arrayContaining(["voter-unroutable p2p_voters[0]", "voter-unroutable p2p_voters[1]"]),
    );
  });

  it("vote, relay and have a transport where this stack makes their tunnels", () => {
    const { plan, codes } = load(UNADDRESSED, { paths, tunnels });
    expect(plan.voters).toEqual({
      ...{ declared: ["c1", "h1", "v1"], effective: ["c1", "h1", "v1"], rejected: [] },
      ...{ quorum: 2, margin: 1 },
    });
    expect(plan.relays).toEqual(["v1"]);
    expect(plan.entry).toEqual(["c1", "h1", "v1"]);
    expect(transports(plan)).toEqual({
      c1: "cloudflare: this stack makes its tunnel",
      // Its own order leaves tunnels out.
      c2: "relay: nat_blocked",
      h1: "cloudflare: this stack makes its tunnel",
      v1: "cloudflare: this stack makes its tunnel",
    });
    expect(codes.filter((code) => /unroutable|no-peers|relay-unusable/.test(code))).toEqual([]);
    expect(host(plan, "c1").peerAddresses).toHaveLength(2);
  });

  it("count as members of the tailnet that this stack joins them to", () => {
    const { plan } = load(UNADDRESSED, { paths, tailnet: true });
    expect(plan.voters.rejected).toEqual([]);
    expect(transports(plan)["c1"]).toBe("tailscale: this stack joins it to the tailnet");
    expect(host(plan, "c1").planned).toEqual(["tailscale"]);
    expect(host(plan, "c1").addresses).toEqual({ tailscale: null, cloudflare: null, direct: null });
  });

  it("stay unroutable where the fleet's order leaves out what is made", () => {
    const text = `p2p_discovery: {methods: [tailscale, direct]}\n${UNADDRESSED}`;
    expect(load(text, { paths, tunnels }).plan.voters.effective).toEqual(["h1"]);
  });
});

describe("the example inventory", () => {
  const text = readFileSync(join(__dirname, "..", "fixtures", "example.yaml"), "utf8");
  const controller = "local-laptop";

  it("keeps its five voters, and gains the laptop once it has a tunnel", () => {
    const without = load(text, { controller, paths }).plan.voters;
    expect(without.rejected).toContainEqual({
      node: "local-laptop",
      reason: "unroutable: no tailnet address, tunnel or public address",
    });
    expect([without.effective.length, without.margin]).toEqual([5, 0]);
    const made = load(text, { controller, paths, tunnels }).plan.voters;
    expect([made.effective.length, made.quorum, made.margin]).toEqual([6, 5, 1]);
    expect(made.effective).toContain("local-laptop");
    expect(made.rejected).toEqual([
      { node: "hetzner-cpu-gone", reason: "no such host" },
      { node: "runpod-a100-a", reason: "status: offline" },
    ]);
  });

  it("has a tailnet address for every other host, so nothing else changes", () => {
    const plans = [load(text, { paths }).plan, load(text, { paths, tunnels, tailnet: true }).plan];
    const [before, after] = plans.map((plan) => [plan.voters, plan.relays, transports(plan)]);
    expect(after).toEqual(before);
    expect(new Set(Object.values(transports(plans[1] as FleetPlan)))).toEqual(
      new Set(["tailscale: tailnet address"]),
    );
  });
});

describe("a host that knows only the entry", () => {
  const endpoint = "p2p_discovery: {cloudflare_endpoint: 'https://p2p.example.org'}";
  const alone = `${endpoint}\nhosts:\n  new: {ssh_host: 192.0.2.9, p2p_enabled: true, ringrift_path: ~/r}\n`;

  it("starts from whoever answers there", () => {
    const { plan, codes } = load(alone, { paths });
    const { entryOnly, peers, peerAddresses, seeds, environment, nodeConf } = host(plan, "new");
    expect({ entryOnly, peers, peerAddresses, seeds }).toEqual({
      ...{ entryOnly: true, peers: [], peerAddresses: ["127.64.0.0:8770"], seeds: ["new"] },
    });
    expect(environment["RINGRIFT_P2P_BOOTSTRAP_SEEDS"]).toBe("127.64.0.0:8770");
    expect(nodeConf["P2P_PEERS"]).toBe("127.64.0.0:8770");
    expect(codes).not.toContain("no-peers ");
  });

  it("is one among others too, where none of their ways is open to it", () => {
    const voters = `p2p_voters: [h1, h2]\n${alone}  h1: {ssh_host: 10.0.0.1, tailscale_ip: 100.64.0.1, p2p_enabled: true, ringrift_path: ~/r}\n  h2: {ssh_host: 10.0.0.2, tailscale_ip: 100.64.0.2, p2p_enabled: true, ringrift_path: ~/r}\n`;
    const only = (text: string, options: PlanOptions) =>
      [...load(text, options).plan.hosts.values()].flatMap((one) =>
        one.action === "deploy" && one.entryOnly ? [one.name] : [],
      );
    expect(only(voters, { paths })).toEqual(["new"]);
    const { peers, peerAddresses } = host(load(voters, { paths }).plan, "new");
    const loopback = (name: string) => `${loopbackAddress(hashNumber(name))}:8770`;
    expect([peers, peerAddresses]).toEqual([
      ["h1", "h2"],
      [loopback("h1"), loopback("h2"), "127.64.0.0:8770"],
    ]);
    expect(only(voters, { paths, tailnet: true })).toEqual([]);
    expect(only(voters, { paths, tunnels })).toEqual([]);
    expect(
      only(voters.replace("192.0.2.9,", "192.0.2.9, tailscale_ip: 100.64.0.9,"), { paths }),
    ).toEqual([]);
    expect(only(voters.replace("ssh_host: 10.0.0.1", "ssh_host: 192.0.2.1"), { paths })).toEqual(
      [],
    );
    // Without forwarders nobody can take the entry for a peer; without an entry, or with tunnels left out, neither.
    expect(only(voters, {})).toEqual([]);
    expect(only(voters.replace(endpoint, ""), { paths })).toEqual([]);
    const untunnelled = voters.replace(
      "cloudflare_endpoint",
      "methods: [tailscale, direct], cloudflare_endpoint",
    );
    expect(only(untunnelled, { paths })).toEqual([]);
  });

  it("is never one that serves the entry", () => {
    expect(host(load(`p2p_voters: [new]\n${alone}`, { paths }).plan, "new").entryOnly).toBe(false);
  });
});
