/** Which tunnels the fleet gets. Decided from the plan and the settings alone. */

import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { MAX_REPLICAS } from "./limits";
import { entryHostname, tunnelHostname, type TunnelNaming, whyUnusable } from "./names";

export interface NodeTunnelPlan {
  readonly node: string;
  /** DNS name in lower case. */
  readonly hostname: string;
  /** `https://` and the name. */
  readonly url: string;
  /** Port on the node that the tunnel leads to: its daemon's, or its path forwarder's. */
  readonly port: number;
}

export interface EntryTunnelPlan {
  readonly hostname: string;
  readonly url: string;
  /** Port on the replicas that the tunnel leads to: the rules are the tunnel's, so it is one for all. */
  readonly port: number;
  /** Effective voters that run a connector of it, sorted. */
  readonly nodes: readonly string[];
  /** Effective voters that cannot: their daemon listens on another port. */
  readonly passedOver: readonly string[];
}

export interface TunnelPlan {
  /** Deployed nodes, sorted by name. */
  readonly nodes: ReadonlyMap<string, NodeTunnelPlan>;
  readonly entry: EntryTunnelPlan | null;
}

export const NO_TUNNELS: TunnelPlan = { nodes: new Map(), entry: null };

export function planTunnels(plan: FleetPlan, naming: TunnelNaming): TunnelPlan {
  const deployed = [...plan.hosts.values()].filter((host) => host.action === "deploy");
  const nodes = deployed.flatMap((host): [string, NodeTunnelPlan][] => {
    const hostname = tunnelHostname(host.name, host.addresses.cloudflare, naming);
    if (hostname === null || whyUnusable(hostname, naming.zone) !== undefined) return [];
    const { name: node, networkPort: port } = host;
    return [[node, { node, hostname, url: `https://${hostname}`, port }]];
  });
  return { nodes: new Map(nodes), entry: planEntry(plan, naming) };
}

function planEntry(plan: FleetPlan, naming: TunnelNaming): EntryTunnelPlan | null {
  const hostname = entryHostname(naming);
  const voters = plan.entry.flatMap((name): DeployHostPlan[] => {
    const host = plan.hosts.get(name);
    return host?.action === "deploy" ? [host] : [];
  });
  const port = commonest(voters.map((host) => host.networkPort));
  if (hostname === null || port === undefined) return null;
  const names = voters.filter((host) => host.networkPort === port).map((host) => host.name);
  return {
    hostname,
    url: `https://${hostname}`,
    port,
    nodes: names.slice(0, MAX_REPLICAS),
    passedOver: voters.filter((host) => host.networkPort !== port).map((host) => host.name),
  };
}

/** The port that most have; the lower one of two. */
function commonest(ports: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const port of ports) counts.set(port, (counts.get(port) ?? 0) + 1);
  return [...counts].sort(([a, many], [b, more]) => more - many || a - b)[0]?.[0];
}
