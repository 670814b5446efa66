/** Who may reach a host's daemon, and where it listens (option 3). Pure: from the plan and the settings alone. */

import { isIP } from "node:net";
import { type DeployHostPlan, type FleetPlan } from "./types";

/** Shape of `p2p:firewall`; settings/firewall.ts reads it. */
interface Settings {
  readonly allow: readonly string[];
  readonly hosts: Readonly<Record<string, { readonly allow: readonly string[] } | "off">>;
}

/** Shape of payload/spec.ts's FirewallSpec, to which it is given. */
export interface Openings {
  readonly ports: readonly number[];
  readonly interfaces: readonly string[];
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** Ports of the daemon beside its main one, in the order: SWIM, Raft, data sync (its own defaults). */
const OTHER_PORTS = [7947, 4321, 8766] as const;

/** tailscaled's interface; in userspace mode what it brings arrives on the loopback. */
const INTERFACES = ["lo", "tailscale0"] as const;

/** Main port, UDP discovery (+1), isolated health (+2) and the rest; never one by which we log in. */
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
  settings: Settings | null,
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

function hasFirewall(host: DeployHostPlan, settings: Settings | null): boolean {
  return settings !== null && settings.hosts[host.name] !== "off" && host.supervisor !== "launchd";
}

/**
 * Addresses from which the others come: only where the direct path leads here. A gateway that several hosts
 * share is left out, because strangers stand behind it too; so are names, which a rule cannot hold.
 */
function fleetSources(host: DeployHostPlan, plan: FleetPlan): string[] {
  if (host.addresses.direct === null || !plan.methods.includes("direct")) return [];
  const others = [...plan.hosts.values()].filter(
    (other): other is DeployHostPlan => other.action === "deploy" && other.name !== host.name,
  );
  const logins = others.map((other) => other.connection.host);
  const isShared = (address: string) => logins.filter((login) => login === address).length > 1;
  return others
    .flatMap(({ addresses, connection }) => [
      ...(addresses.direct === null ? [] : [addresses.direct]),
      ...(isShared(connection.host) ? [] : [connection.host]),
    ])
    .filter((address) => isIP(address) !== 0 && !/^(127\.|::1$)/.test(address));
}

export type Exposure = "loopback" | "all, firewalled" | "all, exposed";

/** Where the daemon can be reached: decided here, shown by `fleet plan`, and compared with what is bound. */
export function planExposure(host: DeployHostPlan, settings: Settings | null): Exposure {
  if (/^(127\.|::1$)/.test(host.listen)) return "loopback";
  return hasFirewall(host, settings) ? "all, firewalled" : "all, exposed";
}

/** Addresses of hosts whose rules cannot name all others, and which ones they are; for a finding. */
export function unnamedSources(plan: FleetPlan): string[] {
  const deployed = [...plan.hosts.values()].filter((host) => host.action === "deploy");
  const isOpenDirectly = deployed.some((host) => host.addresses.direct !== null);
  if (!isOpenDirectly || !plan.methods.includes("direct")) return [];
  return deployed
    .filter(
      (host) => ![host.addresses.direct, host.connection.host].some((a) => a && isIP(a) !== 0),
    )
    .map((host) => host.name);
}
