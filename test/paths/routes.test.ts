import { loadInventory } from "../../hosts/inventory";
import { type PlanOptions } from "../../hosts/plan/planFleet";
import { type DeployHostPlan } from "../../hosts/plan/types";
import { planOutputs } from "../../components/outputs";
import { renderNodes } from "../../paths/nodes";

const paths = { inboundPort: 8779 };
const TEXT = `
p2p_voters: [h1]
p2p_discovery: {methods: [tailscale, cloudflare, direct, relay], cloudflare_endpoint: 'https://p2p.example.com'}
hosts:
  h1: {ssh_host: 192.0.2.1, p2p_number: 1, tailscale_ip: 100.64.0.1, p2p_url: 'https://h1.example.com',
       p2p_methods: [direct, cloudflare], p2p_enabled: true, ringrift_path: ~/r}
  h2: {ssh_host: '2001:db8::2', p2p_number: 2, tailscale_ipv6: 'fd7a:115c:a1e0::2', p2p_port: 9000, p2p_enabled: true, ringrift_path: ~/r}
  c1: {ssh_host: ssh.example.com, ssh_port: 20001, p2p_number: 3, is_container: true, p2p_public_host: 203.0.113.7,
       p2p_public_port: 30779, force_relay_mode: true, relay_primary: h1, p2p_enabled: true, ringrift_path: ~/r}
  c2: {ssh_host: ssh.example.com, ssh_port: 20002, p2p_number: 4, is_container: true, p2p_public_host: 203.0.113.7,
       p2p_public_port: 30780, nat_blocked: true, p2p_enabled: true, ringrift_path: ~/r}
  c3: {ssh_host: ssh.example.com, ssh_port: 20003, p2p_number: 5, is_container: true, p2p_public_port: 30781,
       p2p_enabled: true, ringrift_path: ~/r}
`.replace("p2p_number: 1,", "p2p_number: 1, relay_capable: true,");

function load(options: PlanOptions) {
  const inventory = loadInventory(TEXT, "hosts.yaml", options);
  const { plan, findings } = inventory;
  if (!plan) throw new Error(JSON.stringify(findings));
  const host = (name: string) => plan.hosts.get(name) as DeployHostPlan;
  return { inventory, plan, host };
}
const known = {
  nodes: { c1: "https://c1.example.com" },
  entry: null,
  devices: { c3: "100.64.0.33", h1: "100.64.0.99" },
};

describe("the output p2pDiscovery", () => {
  it("has each node's number, address, and paths in its own order", () => {
    const { plan, inventory } = load({ paths });
    const { p2pDiscovery } = planOutputs(plan, inventory, known);
    expect(p2pDiscovery).toEqual({
      methods: ["tailscale", "cloudflare", "direct", "relay"],
      cloudflare_endpoint: "https://p2p.example.com",
      entry: ["h1"],
      nodes: {
        h1: {
          ...{ number: 1, loopback: "127.64.0.1", tailscale_ip: "100.64.0.1" },
          ...{ p2p_url: "https://h1.example.com", direct: "192.0.2.1", direct_port: null },
          methods: ["direct", "cloudflare"],
          paths: [
            { path: "direct", address: "192.0.2.1:8779" },
            { path: "cloudflare", address: "https://h1.example.com" },
          ],
        },
        h2: {
          ...{ number: 2, loopback: "127.64.0.2", tailscale_ip: "fd7a:115c:a1e0::2" },
          ...{ p2p_url: null, direct: "2001:db8::2", direct_port: null, methods: null },
          paths: [
            { path: "tailscale", address: "[fd7a:115c:a1e0::2]:8779" },
            { path: "direct", address: "[2001:db8::2]:8779" },
          ],
        },
        c1: {
          ...{ number: 3, loopback: "127.64.0.3", tailscale_ip: null },
          ...{ p2p_url: "https://c1.example.com", direct: "203.0.113.7", direct_port: 30779 },
          methods: null,
          paths: [
            { path: "cloudflare", address: "https://c1.example.com" },
            { path: "direct", address: "203.0.113.7:30779" },
          ],
        },
        // Nobody can connect to it, whatever its provider maps.
        c2: {
          ...{ number: 4, loopback: "127.64.0.4", tailscale_ip: null, p2p_url: null },
          ...{ direct: null, direct_port: null, methods: null, paths: [] },
        },
        // A mapped port without the host to which it belongs says nothing.
        c3: {
          ...{ number: 5, loopback: "127.64.0.5", tailscale_ip: null, p2p_url: null },
          ...{ direct: null, direct_port: null, methods: null },
          paths: [{ path: "tailscale", address: "100.64.0.33:8779" }],
        },
      },
    });
  });

  it("knows the daemons' own ports, and the fleet's order alone, where there are no forwarders", () => {
    const { plan, inventory } = load({});
    const { nodes } = planOutputs(plan, inventory, { nodes: {}, entry: null }).p2pDiscovery;
    expect(Object.entries(nodes).map(([name, node]) => [name, node.paths])).toEqual([
      ["c1", []],
      ["c2", []],
      ["c3", []],
      [
        "h1",
        [
          { path: "tailscale", address: "100.64.0.1:8770" },
          { path: "cloudflare", address: "https://h1.example.com" },
          { path: "direct", address: "192.0.2.1:8770" },
        ],
      ],
      [
        "h2",
        [
          { path: "tailscale", address: "[fd7a:115c:a1e0::2]:9000" },
          { path: "direct", address: "[2001:db8::2]:9000" },
        ],
      ],
    ]);
  });
});

describe("the outputs peers and seeds", () => {
  it("are loopback addresses where daemons listen nowhere else", () => {
    const of = (options: PlanOptions) => {
      const { plan, inventory } = load(options);
      const { peers, seeds } = planOutputs(plan, inventory, known);
      return { peers, seeds };
    };
    expect(of({ paths })).toEqual({ peers: ["127.64.0.1:8770"], seeds: ["127.64.0.1:8770"] });
    expect(of({})).toEqual({ peers: ["100.64.0.1:8770"], seeds: ["100.64.0.1:8770"] });
  });
});

describe("a provider's port mapping", () => {
  it("makes a container reachable directly, through its forwarder", () => {
    expect(load({ paths }).host("c1").addresses.direct).toBe("203.0.113.7");
    expect(load({}).host("c1").addresses.direct).toBeNull();
    const list = JSON.parse(renderNodes(load({ paths }).plan, known)) as {
      nodes: Record<string, { direct?: string }>;
    };
    expect(Object.entries(list.nodes).map(([name, { direct }]) => [name, direct])).toEqual([
      ["c1", "203.0.113.7:30779"],
      ["c2", undefined],
      ["c3", undefined],
      ["h1", "192.0.2.1"],
      ["h2", "2001:db8::2"],
    ]);
  });
});
