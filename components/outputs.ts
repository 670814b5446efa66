/** The stack's outputs. What the orchestrator needs comes from the plan alone, so no failed host can lose it. */

import type * as pulumi from "@pulumi/pulumi";
import { hostPort, peerAddress } from "../hosts/plan/addresses";
import { renderNodeConf } from "../hosts/plan/nodeConf";
import { type Inventory } from "../hosts/inventory";
import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { type Debt } from "../health/outcome";
import { type Recap } from "../health/report";
import { type TailnetFact } from "../payload/facts";
import { type TailnetMemory } from "../tailnet/plannedKeys";
import { type LeftNumber } from "../paths/numbers";
import { isMapped, type KnownAddresses, type Route, routesTo } from "../paths/routes";
import { type TunnelMemory } from "../tunnels/memory";

export interface HostOutput {
  readonly action: "deploy" | "skip" | "refused";
  readonly provider: string;
  /** Outcome of the last run; docs/operations.md lists them. */
  readonly state: string;
  readonly detail: string;
  /** Digest of the release that was seen healthy; null where that is not known. */
  readonly release: string | null;
  /** The device in the tailnet; left out where there is no tailnet. */
  readonly tailnet?: DeviceOutput | null;
}

/** The device of a host as an output. */
export interface DeviceOutput {
  /** MagicDNS name. */
  readonly name: string | null;
  readonly addresses: readonly string[];
  readonly tags: readonly string[];
  /** null: it does not lapse, as with every tagged device. */
  readonly keyExpiry: string | null;
}

export interface DiscoveryNode {
  readonly number: number;
  readonly loopback: string;
  readonly tailscale_ip: string | null;
  readonly p2p_url: string | null;
  readonly direct: string | null;
  /** Port of `direct` that is mapped to the forwarder; null where it is the same port. */
  readonly direct_port: number | null;
  /** The node's own order of paths; null: the fleet's. */
  readonly methods: readonly string[] | null;
  /** What leads to the node, in the order in which it is tried. */
  readonly paths: readonly Route[];
  readonly tailnet?: DeviceOutput | null;
}

export interface FleetOutputs {
  /** Addresses that a new node gives as `--peers`: effective voters and relays. */
  readonly peers: readonly string[];
  /** Addresses tried first: effective voters. */
  readonly seeds: readonly string[];
  /** Declared voters (RINGRIFT_P2P_VOTERS). */
  readonly voters: readonly string[];
  readonly quorum: {
    readonly declared: number;
    readonly effective: number;
    readonly required: number;
    readonly margin: number;
  };
  readonly hosts: Readonly<Record<string, HostOutput>>;
  /** Text of node.conf by host. */
  readonly nodeConf: Readonly<Record<string, string>>;
  /** In the shape of the inventory's `p2p_discovery`. */
  readonly p2pDiscovery: {
    readonly methods: readonly string[];
    readonly cloudflare_endpoint: string | null;
    readonly entry: readonly string[];
    readonly nodes: Readonly<Record<string, DiscoveryNode>>;
  };
  /** Numbers that no new node may have yet, because daemons remember who had them. */
  readonly leftNumbers: readonly LeftNumber[];
  /** Hosts that nobody could look at, and since when. */
  readonly debt: Readonly<Record<string, Debt>>;
  /** What happened, and what to do about it. */
  readonly recap: Recap;
  /** What stands at Cloudflare, for the next run; left out where there are no tunnels. */
  readonly tunnels?: TunnelMemory;
  /** The recap as Markdown. */
  readonly report: string;
  /** What the next run has to know about keys and policy; left out where there is no tailnet. */
  readonly tailnet?: TailnetMemory;
  /** The newest auth key of each class, for start scripts. Secret. */
  readonly startKeys?: pulumi.Output<Record<string, string>>;
}

type PlanOutputs = Omit<
  FleetOutputs,
  "hosts" | "debt" | "recap" | "report" | "tailnet" | "startKeys" | "tunnels" | "leftNumbers"
>;

/** @param known tunnels that stand or are to be made, and devices */
export function planOutputs(
  plan: FleetPlan,
  { fleet }: Pick<Inventory, "fleet">,
  known: KnownAddresses,
): PlanOutputs {
  const deployed = [...plan.hosts.values()].filter((host) => host.action === "deploy");
  const { declared, effective, quorum, margin } = plan.voters;
  const addresses = (names: readonly string[]) => names.flatMap((name) => address(name, plan));
  return {
    peers: addresses([...new Set([...effective, ...plan.relays])].sort()),
    seeds: addresses(effective),
    voters: declared,
    quorum: {
      declared: declared.length,
      effective: effective.length,
      required: quorum,
      margin,
    },
    nodeConf: nodeConfs(plan),
    p2pDiscovery: {
      methods: plan.methods,
      cloudflare_endpoint: known.entry ?? fleet?.cloudflareEndpoint ?? null,
      entry: plan.entry,
      nodes: Object.fromEntries(
        deployed.map((host) => [host.name, discoveryNode(host, plan, known)]),
      ),
    },
  };
}

/** The address for a newcomer, which will be on the tailnet, or have a forwarder where the others have one. */
function address(name: string, plan: FleetPlan): string[] {
  const host = plan.hosts.get(name);
  if (host?.action !== "deploy") return [];
  if (host.forwarded) return [hostPort(host.loopback, host.port)];
  const { tailscale } = host.addresses;
  const newcomer = { addresses: { ...host.addresses, tailscale }, port: host.port };
  const text = peerAddress(newcomer, host, plan.methods);
  return [text ?? hostPort(host.loopback, host.port)];
}

/** @param previous what the last run said, for a host that nobody could look at */
export function deviceOutput(
  found: TailnetFact | null | undefined,
  previous: DeviceOutput | null,
): DeviceOutput | null {
  if (found === undefined || found?.backend === null) return previous;
  if (found === null || found.addresses.length === 0) return null;
  const { name, addresses, tags, keyExpiry } = found;
  return { name, addresses, tags, keyExpiry };
}

/** The plan's discovery with the devices that were found; addresses stay the file's (`fleet sync tailscale`). */
export function withDevices(
  discovery: FleetOutputs["p2pDiscovery"],
  devices: Readonly<Record<string, DeviceOutput | null>>,
): FleetOutputs["p2pDiscovery"] {
  const nodes = Object.entries(discovery.nodes).map(([name, node]) => [
    name,
    { ...node, tailnet: devices[name] ?? null },
  ]);
  return {
    ...discovery,
    nodes: Object.fromEntries(nodes) as FleetOutputs["p2pDiscovery"]["nodes"],
  };
}

/** The tailnet's address of each device; IPv4 first, as tailscale lists them. */
export function deviceAddresses(
  devices: Readonly<Record<string, DeviceOutput | null>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(devices).flatMap(([name, device]) => {
      const address = device?.addresses[0];
      return address === undefined ? [] : [[name, address]];
    }),
  );
}

function discoveryNode(
  host: DeployHostPlan,
  { methods }: FleetPlan,
  known: KnownAddresses,
): DiscoveryNode {
  return {
    number: host.number,
    loopback: host.loopback,
    tailscale_ip: host.addresses.tailscale,
    p2p_url: known.nodes[host.name] ?? host.addresses.cloudflare,
    direct: host.addresses.direct,
    direct_port: host.addresses.direct !== null && isMapped(host) ? host.directPort : null,
    methods: host.methods,
    paths: routesTo(host, methods, known),
  };
}

/** node.conf of every deployed host. */
function nodeConfs(plan: FleetPlan): Record<string, string> {
  return Object.fromEntries(
    [...plan.hosts.values()].flatMap((host) =>
      host.action === "deploy" ? [[host.name, renderNodeConf(host.nodeConf)]] : [],
    ),
  );
}
