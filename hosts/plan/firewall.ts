/** Who may reach a host's daemon, and where it listens (option 3). Pure: from the plan and the settings alone. */

import { type FirewallSettings, isRange, plainRange } from "../../settings/firewall";
import { mappedIPv4 } from "../fields";
import { isLoopback } from "../fleet";
import { type DeployHostPlan, type Exposure, type FleetPlan } from "./types";

/** Shape of payload/spec.ts's FirewallSpec, to which it is given. */
export interface Openings {
  readonly ports: readonly number[];
  readonly interfaces: readonly string[];
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** Ports of the daemon that do not follow its main one: SWIM, Raft, data sync, UDP discovery (its own defaults). */
const OTHER_PORTS = [7947, 4321, 8766, 8771] as const;

/** tailscaled's interface; in userspace mode what it brings arrives on the loopback. */
const INTERFACES = ["lo", "tailscale0"] as const;

/** Main port, the one after it (discovery), isolated health (+2) and the rest; never one by which we log in. */
export function daemonPorts(
  host: Pick<DeployHostPlan, "port" | "networkPort" | "connection">,
): number[] {
  const own = [host.port, host.port + 1, host.port + 2, host.networkPort, ...OTHER_PORTS];
  const login = new Set([22, host.connection.port]);
  return [...new Set(own)]
    .filter((port) => port <= 65_535 && !login.has(port))
    .sort((a, b) => a - b);
}

/** @returns null where nothing of ours is to filter: turned off, or a system that the agent does not run on */
export function planFirewall(
  host: DeployHostPlan,
  plan: FleetPlan,
  settings: FirewallSettings | null,
): Openings | null {
  if (!hasFirewall(host, settings) || settings === null) return null;
  const own = settings.hosts[host.name];
  const named = own === undefined || own === "off" ? settings.allow : own.allow;
  const sources = [...new Set([...named, ...fleetSources(host, plan)])].sort();
  return {
    ports: daemonPorts(host),
    interfaces: [...INTERFACES],
    ipv4: sources.filter((source) => !source.includes(":")),
    ipv6: sources.filter((source) => source.includes(":")),
  };
}

function hasFirewall(
  host: Pick<DeployHostPlan, "name" | "supervisor">,
  settings: FirewallSettings | null,
): boolean {
  return settings !== null && settings.hosts[host.name] !== "off" && host.supervisor !== "launchd";
}

/** Addresses from which the others come: only where the direct path leads here. */
function fleetSources(host: DeployHostPlan, plan: FleetPlan): string[] {
  if (host.addresses.direct === null || !plan.methods.includes("direct")) return [];
  const deployed = deployedOf(plan);
  return deployed.flatMap((other) => (other.name === host.name ? [] : sourcesOf(other, deployed)));
}

/**
 * Addresses by which a rule can know a host. A gateway that several hosts share is left out, because strangers
 * stand behind it too; so are names, which a rule cannot hold.
 */
function sourcesOf(
  { addresses, connection }: DeployHostPlan,
  deployed: readonly DeployHostPlan[],
): string[] {
  const sharing = deployed.filter((other) => other.connection.host === connection.host);
  const plain = [addresses.direct, sharing.length > 1 ? null : connection.host].map(
    // No packet has an IPv4 address as IPv6.
    (address) => address && (mappedIPv4(address) ?? address),
  );
  return plain
    .filter(
      (address): address is string => address !== null && isRange(address) && !isLoopback(address),
    )
    .map(plainRange);
}

function deployedOf(plan: FleetPlan): DeployHostPlan[] {
  return [...plan.hosts.values()].filter((host) => host.action === "deploy");
}

/** Where the daemon can be reached: decided here, shown by `fleet plan`, and compared with what is bound. */
export function planExposure(
  host: Pick<DeployHostPlan, "name" | "supervisor" | "listen">,
  settings: FirewallSettings | null,
): Exposure {
  if (isLoopback(host.listen)) return "loopback";
  return hasFirewall(host, settings) ? "all, firewalled" : "all, exposed";
}

/** Names in `p2p:firewall.hosts` that no host has, sorted. */
export function unknownHosts(plan: FleetPlan, settings: FirewallSettings | null): string[] {
  const named = Object.keys(settings?.hosts ?? {});
  return named.filter((name) => !plan.hosts.has(name)).sort();
}

/** Hosts that reach the others by the direct path alone, and that no rule there can let in. */
export function unnamedSources(plan: FleetPlan): string[] {
  const deployed = deployedOf(plan);
  const isOpenDirectly = deployed.some((host) => host.addresses.direct !== null);
  if (!isOpenDirectly || !plan.methods.includes("direct")) return [];
  return deployed
    .filter((host) => !hasOtherWay(host) && sourcesOf(host, deployed).length === 0)
    .map((host) => host.name);
}

/** The tailnet leads to the others too; a tunnel only does from a forwarder on. */
function hasOtherWay({ addresses, planned, forwarded }: DeployHostPlan): boolean {
  if (addresses.tailscale !== null || planned.includes("tailscale")) return true;
  return forwarded && (addresses.cloudflare !== null || planned.includes("cloudflare"));
}
