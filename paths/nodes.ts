/** The list of nodes that every forwarder has: the same text on all hosts. */

import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";

/** https addresses that are known beside the inventory: the tunnels of this stack. */
export interface TunnelUrls {
  readonly nodes: Readonly<Record<string, string>>;
  readonly entry: string | null;
}

interface NodeEntry {
  readonly number: number;
  readonly port: number;
  /** Voters and relays: their paths are looked at all the time, the others' only when something is wrong. */
  readonly watch?: true;
  readonly methods?: readonly string[];
  readonly tailscale?: string;
  readonly cloudflare?: string;
  readonly direct?: string;
}

/** @returns JSON with sorted names: the same plan gives the same bytes */
export function renderNodes(plan: FleetPlan, urls: TunnelUrls): string {
  const deployed = [...plan.hosts.values()].filter((host) => host.action === "deploy");
  const entries = deployed.map((host): [string, NodeEntry] => [host.name, nodeEntry(host, urls)]);
  const lines = entries.map(
    ([name, entry]) => `  ${JSON.stringify(name)}: ${JSON.stringify(entry)}`,
  );
  const head = {
    methods: plan.methods.filter((method) => method !== "relay" && method !== "none"),
    ...(urls.entry === null ? {} : { entry: urls.entry }),
  };
  // One line a node, so that a difference shows the nodes that differ.
  return `${JSON.stringify(head).slice(0, -1)},"nodes":{\n${lines.join(",\n")}\n}}\n`;
}

function nodeEntry(host: DeployHostPlan, urls: TunnelUrls): NodeEntry {
  const { tailscale, direct } = host.addresses;
  const cloudflare = urls.nodes[host.name] ?? host.addresses.cloudflare;
  return {
    number: host.number,
    port: host.port,
    ...(host.voter || host.relayHub ? { watch: true } : {}),
    ...(host.methods === null ? {} : { methods: host.methods }),
    ...(tailscale === null ? {} : { tailscale }),
    ...(cloudflare === null ? {} : { cloudflare }),
    ...(direct === null ? {} : { direct }),
  };
}
