import * as pulumi from "@pulumi/pulumi";
import { openPaths } from "../../components/fleetPaths";
import { type FleetConfig } from "../../config";
import { loadInventory } from "../../hosts/inventory";
import { sha256 } from "../../payload/digest";
import { readPaths } from "../../settings/paths";

const ENTRY = `
p2p_voters: [h1]
p2p_discovery: {cloudflare_endpoint: 'https://p2p.example.org'}
hosts:
  h1: {ssh_host: 10.0.0.1, p2p_number: 1, tailscale_ip: 100.64.0.1, p2p_enabled: true, ringrift_path: ~/r}
  new: {ssh_host: 192.0.2.9, p2p_number: 2, p2p_enabled: true, ringrift_path: ~/r}
`;
const BARE = { numbers: {}, leftNumbers: [] };
const NOW = "2026-11-20T12:00:00.000Z";

async function open(
  changes: Partial<FleetConfig> = {},
  previous: Parameters<typeof openPaths>[3] = BARE,
) {
  const paths = readPaths(
    { enabled: true },
    { hasSecret: true, hasNetwork: false },
    () => undefined,
  );
  const config = {
    ...{
      paths,
      fleetSecret: pulumi.secret("a fleet secret of some length"),
      tailnet: null,
      cloudflare: null,
    },
    ...changes,
  } as FleetConfig;
  const { tailnet } = config;
  const inventory = loadInventory(ENTRY, "hosts.yaml", {
    paths: { inboundPort: 8779 },
    tailnet: tailnet !== null,
  });
  const plan = inventory.plan;
  if (!plan) throw new Error("no plan");
  const opened = await openPaths(config, plan, inventory, previous, NOW);
  const of = (name: string) => {
    const host = plan.hosts.get(name);
    if (host?.action !== "deploy") throw new Error(name);
    const [part] = opened.partsOf(host);
    if (!part) throw new Error("no part");
    const file = (end: string) => part.files.find(({ path }) => path.endsWith(end));
    const own = file("settings.json");
    return {
      nodes: JSON.parse(opened.staged.get(file("nodes.json")?.digest ?? "") ?? "null") as unknown,
      settings: JSON.parse(own && "text" in own ? own.text : "null") as Record<string, unknown>,
      secrets: part.secrets,
    };
  };
  return { of, opened };
}

const NODES = {
  h1: { number: 1, port: 8770, watch: true, tailscale: "100.64.0.1" },
  new: { number: 2, port: 8770, direct: "192.0.2.9" },
};
const METHODS = ["tailscale", "cloudflare", "direct"];
const entry = "https://p2p.example.org";

describe("openPaths", () => {
  it("lets a host that knows only the entry learn the nodes there, and nobody else", async () => {
    const { of, opened } = await open();
    expect(of("new").nodes).toEqual({ methods: METHODS, entry, learn: true, nodes: NODES });
    expect(of("h1").nodes).toEqual({ methods: METHODS, entry, nodes: NODES });
    expect([of("new").settings["servesEntry"], of("h1").settings["servesEntry"]]).toEqual([
      false,
      true,
    ]);
    // The program, and two lists.
    expect(opened.staged.size).toBe(3);
    for (const [digest, text] of opened.staged) expect(sha256(text)).toBe(digest);
  });

  it("brings the entry's token to hosts of a stack that does not make it", async () => {
    const token = '{"client_id": "planted.access", "client_secret": "planted"}';
    const { of } = await open({ joinAccess: pulumi.secret(token) });
    expect(of("new").settings["accessFile"]).toBe("/etc/ringrift/access-token.json");
    expect(of("new").secrets.map(({ path, content }) => [path, content])).toEqual([
      ["/etc/ringrift/fleet-secret", "a fleet secret of some length\n"],
      ["/etc/ringrift/access-token.json", `${token}\n`],
    ]);
    const without = (await open()).of("new");
    expect([without.settings["accessFile"], without.secrets.length]).toEqual([undefined, 1]);
  });

  it("names the devices of a tailnet that this stack joins hosts to, and no address of a run before", async () => {
    const tailnet = {} as FleetConfig["tailnet"];
    const device = (name: string) => ({ device: name, deviceTag: "tag:unknown-nodes" });
    expect((await open({ tailnet })).of("h1").nodes).toEqual({
      ...{ methods: METHODS, entry },
      nodes: { h1: { ...NODES.h1, ...device("h1") }, new: { ...NODES.new, ...device("new") } },
    });
  });

  it("ends the run where a number was another node's", async () => {
    const previous = { ...BARE, numbers: { gone: 2 } };
    await expect(open({}, previous)).rejects.toThrow(
      "hosts.new: number 2 was gone's in the last run, and daemons may still know gone by it; " +
        "choose another p2p_number, or wait until nobody has had it for 14 days",
    );
  });

  it("brings nothing where paths are off", async () => {
    const plan = loadInventory(ENTRY, "hosts.yaml");
    const { partsOf, staged } = await openPaths(
      { paths: null } as FleetConfig,
      plan.plan as NonNullable<typeof plan.plan>,
      plan,
      BARE,
      NOW,
    );
    expect([partsOf({} as Parameters<typeof partsOf>[0]), staged.size]).toEqual([[], 0]);
  });
});
