import { type FleetPlan } from "../../hosts/plan/types";
import { planTunnels } from "../../tunnels/plan";
import { planOf } from "../payload/plans";

const NAMING = { zone: "example.com", hostname: "{node}.{zone}", entry: "p2p" };
const elsewhere = { tailscale: null, cloudflare: "https://gpu.example.net", direct: null };

function fleet(hosts: Parameters<typeof planOf>[0][], entry: string[]): FleetPlan {
  const plans = hosts.map((host) => planOf(host));
  return {
    hosts: new Map(plans.map((host) => [host.name, host])),
    voters: { declared: entry, effective: entry, rejected: [], quorum: 1, margin: 0 },
    relays: [],
    coordinator: null,
    entry,
    methods: ["cloudflare"],
  };
}

describe("planTunnels", () => {
  it("gives every deployed node a name, and the entry to the effective voters", () => {
    const plan = fleet([{ name: "h1" }, { name: "h2", networkPort: 8771 }], ["h1"]);
    expect(planTunnels(plan, NAMING)).toEqual({
      nodes: new Map([
        [
          "h1",
          { node: "h1", hostname: "h1.example.com", url: "https://h1.example.com", port: 8770 },
        ],
        [
          "h2",
          { node: "h2", hostname: "h2.example.com", url: "https://h2.example.com", port: 8771 },
        ],
      ]),
      entry: {
        hostname: "p2p.example.com",
        url: "https://p2p.example.com",
        port: 8770,
        nodes: ["h1"],
        passedOver: [],
      },
    });
  });

  it("leaves out nodes whose tunnel is elsewhere, and an entry that nobody can serve", () => {
    const plan = fleet([{ name: "h1", addresses: elsewhere }, { name: "h2" }], []);
    const planned = planTunnels(plan, NAMING);
    expect([[...planned.nodes.keys()], planned.entry]).toEqual([["h2"], null]);
    expect(
      planTunnels(fleet([{ name: "h1" }], ["h1"]), { ...NAMING, entry: null }).entry,
    ).toBeNull();
  });

  it("passes over voters whose daemon listens on another port than most, and takes 25 at most", () => {
    const odd = fleet(
      [{ name: "h1" }, { name: "h2" }, { name: "h3", networkPort: 1 }],
      ["h1", "h2", "h3"],
    );
    expect(planTunnels(odd, NAMING).entry).toMatchObject({
      port: 8770,
      nodes: ["h1", "h2"],
      passedOver: ["h3"],
    });
    const names = Array.from({ length: 30 }, (_, index) => `h${index + 10}`);
    const many = fleet(
      names.map((name) => ({ name })),
      names,
    );
    expect(planTunnels(many, NAMING).entry?.nodes).toEqual(names.slice(0, 25));
  });
});
