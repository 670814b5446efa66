/** Decides for every host what is done with it. Pure: the same file in any order gives the same plan. */

import { type Fleet, type Host } from "../fleet";
import { decideAction, type Decision } from "./action";
import { hostPort, isRelayed, peerAddress, planTransport, relayReason } from "./addresses";
import { type TunnelNaming } from "../../tunnels/names";
import { FIREWALL_ON, type FirewallSettings } from "../../settings/firewall";
import { planExposure } from "./firewall";
import { environmentOf, nodeConfOf } from "./environment";
import { planConnection } from "./connection";
import { ENTRY_PEER, loopbackAddress, loopbackOf, numberOf } from "./number";
import { aiServicePathOf, homeOf, interpreterOf } from "./paths";
import { type DeployHostPlan, type FleetPlan, type HostPlan } from "./types";
import { planVoters } from "./voters";
import { FleetWays } from "./ways";

export interface PlanOptions {
  /** The host on which the program runs (`p2p:controller`); only this one may have `ssh_host: localhost`. */
  readonly controller?: string;
  /** How nodes' tunnels are named (`p2p:cloudflare`); without it there are none, and no rule about them. */
  readonly tunnels?: TunnelNaming;
  /** `p2p:tailnet` is on: hosts are joined to the tailnet, also those whose address nobody knows yet. */
  readonly tailnet?: boolean;
  /** `p2p:paths`: nodes reach each other at their loopback addresses, through the path forwarders. */
  readonly paths?: { readonly inboundPort: number };
  /** `p2p:firewall`; null: off. @default on, for nobody but the fleet */
  readonly firewall?: FirewallSettings | null;
}

/** A tunnel takes at most 25 replicas (Cloudflare's limit), and the voters are those of the entry. */
const MAX_ENTRY_NODES = 25;

export function planFleet(fleet: Fleet, options: PlanOptions = {}): FleetPlan {
  const names = [...fleet.names].sort();
  const decisions = new Map(
    names.map((name) => [name, decideAction(name, fleet, options.controller)]),
  );
  const deployed = names.flatMap((name) => {
    const host = fleet.hosts.get(name);
    return host && decisions.get(name)?.action === "deploy" ? [host] : [];
  });
  const ways = new FleetWays(fleet, deployed, options);
  const voters = planVoters(fleet, decisions, ways.isReachable);
  const relays = deployed
    .filter((host) => host.relayCapable && !isRelayed(host) && ways.isReachable(host.name))
    .map((host) => host.name);
  const leaders = deployed.filter((host) => host.role === "coordinator" && !isRelayed(host));
  const context: Context = {
    fleet,
    voters,
    relays,
    ways,
    hubs: new Set(relays),
    effective: new Set(voters.effective),
    entryPoints: [...new Set([...voters.effective, ...relays])].sort(),
    leaders: new Set(leaders.map((host) => host.name)),
    inboundPort: options.paths?.inboundPort ?? null,
    firewall: options.firewall === undefined ? FIREWALL_ON : options.firewall,
    daemonMethods: options.tunnels?.access
      ? fleet.methods.filter((method) => method !== "cloudflare")
      : fleet.methods,
  };
  return {
    hosts: new Map(
      names.map((name) => [name, planHost(name, decisions.get(name) as Decision, context)]),
    ),
    voters,
    relays,
    coordinator:
      leaders.find((host) => host.name === fleet.eloCoordinator)?.name ?? leaders[0]?.name ?? null,
    entry: voters.effective.slice(0, MAX_ENTRY_NODES),
    methods: fleet.methods,
  };
}

interface Context {
  readonly fleet: Fleet;
  readonly voters: FleetPlan["voters"];
  readonly relays: readonly string[];
  readonly ways: FleetWays;
  readonly hubs: ReadonlySet<string>;
  readonly effective: ReadonlySet<string>;
  /** Effective voters and relays: what every node is told to start from. */
  readonly entryPoints: readonly string[];
  readonly leaders: ReadonlySet<string>;
  /** Port of the path forwarders; null where there are none. */
  readonly inboundPort: number | null;
  readonly firewall: FirewallSettings | null;
  /** Paths on which a daemon reaches others by itself. */
  readonly daemonMethods: FleetPlan["methods"];
}

function planHost(name: string, decision: Decision, context: Context): HostPlan {
  const host = context.fleet.hosts.get(name);
  const number = host && decision.action !== "refused" ? numberOf(host) : null;
  const base = { name, reason: decision.reason, provider: host?.provider ?? "unknown" };
  if (decision.action === "deploy" && host && number !== null)
    return planDeployment(host, { ...base, number }, context);
  const isLeaving = decision.action === "skip" && host?.status.word === "retired";
  return {
    ...base,
    action: decision.action === "refused" ? "refused" : "skip",
    number,
    leaving: isLeaving,
    connection: isLeaving && host ? planConnection(host, context.fleet) : null,
  };
}

function planDeployment(
  host: Host,
  base: { name: string; reason: string; provider: string; number: number },
  context: Context,
): DeployHostPlan {
  const { fleet, voters, hubs, ways } = context;
  const { addresses, planned } = ways.of(host.name);
  const loopback = loopbackAddress(base.number);
  const relayed = isRelayed(host);
  const viewer = { addresses, port: host.port };
  const isForwarded = context.inboundPort !== null;
  const networkPort = context.inboundPort ?? host.port;
  // Userspace networking delivers to 127.0.0.1, and a container's other addresses belong to its provider.
  const listen = host.isContainer || isForwarded ? "127.0.0.1" : "0.0.0.0";
  const entryOnly = ways.isEntryOnly(host, context.entryPoints);
  const reached = context.entryPoints.flatMap((peer) => {
    if (peer === host.name) return [];
    const other = fleet.hosts.get(peer);
    if (!other) return [];
    const theirs = ways.of(peer).addresses;
    const address = isForwarded
      ? hostPort(loopbackOf(other), other.port)
      : peerAddress(viewer, { addresses: theirs, port: other.port }, context.daemonMethods);
    return address === null ? [] : [{ peer, address }];
  });
  const peers = reached.map(({ peer }) => peer);
  const told = {
    ...base,
    action: "deploy" as const,
    connection: planConnection(host, fleet),
    supervisor: host.supervisor,
    container: host.isContainer,
    networking: host.needsUserspace ? ("userspace" as const) : ("tun" as const),
    transport: planTransport(host, { addresses, planned }, ways.methods(host)),
    home: homeOf(host),
    aiServicePath: aiServicePathOf(host),
    interpreter: interpreterOf(host),
    loopback,
    port: host.port,
    networkPort,
    directPort: (isForwarded ? host.publicPort : undefined) ?? networkPort,
    forwarded: isForwarded,
    methods: host.methods,
    listen,
    exposure: planExposure({ ...host, listen }, context.firewall),
    advertise: isForwarded ? loopback : (addresses.tailscale ?? addresses.direct ?? loopback),
    addresses,
    planned,
    entryOnly,
    peers,
    peerAddresses: [...reached.map(({ address }) => address), ...(entryOnly ? [ENTRY_PEER] : [])],
    relayAddresses: relayed
      ? reached.filter(({ peer }) => hubs.has(peer)).map(({ address }) => address)
      : [],
    seeds: peers.length > 0 ? peers : [host.name],
    relay: relayed,
    relayReason: relayReason(host),
    relays: relayed ? relayOrder(host, context.relays) : [],
    relayHub: hubs.has(host.name),
    voter: context.effective.has(host.name),
    coordinator: context.leaders.has(host.name),
    authKey: {
      class: `${host.provider}-nodes`,
      tags: [
        `tag:${host.provider}-nodes`,
        ...(context.effective.has(host.name) ? ["tag:p2p-voters"] : []),
      ].sort(),
    },
  };
  return {
    ...told,
    nodeConf: nodeConfOf(told, voters),
    environment: environmentOf(told, voters),
  };
}

/** Named relays that can serve first, in the file's order of preference, then the fleet's others. */
function relayOrder(host: Host, relays: readonly string[]): string[] {
  const named = host.relayTargets.map(({ node }) => node).filter((node) => relays.includes(node));
  return [...new Set([...named, ...relays])].filter((node) => node !== host.name);
}
