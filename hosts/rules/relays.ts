/** Rules over relays and the hosts that depend on them. */

import { type Fleet } from "../fleet";
import { cite, quote, type Report } from "../finding";
import { isRelayed } from "../plan/addresses";
import { type DeployHostPlan, type FleetPlan } from "../plan/types";

export function relayRules(fleet: Fleet, plan: FleetPlan): Report[] {
  const deployed = [...plan.hosts.values()].filter((host) => host.action === "deploy");
  return [
    ...deployed.flatMap((host) => targetRules(host, fleet, plan)),
    ...deployed.flatMap((host) => pathRules(host)),
    ...oneProvider(deployed, plan),
  ];
}

function targetRules(plan: DeployHostPlan, fleet: Fleet, fleetPlan: FleetPlan): Report[] {
  const host = fleet.hosts.get(plan.name);
  if (!host) return [];
  const faults = host.relayTargets.flatMap(({ key, node }) => {
    const why = unusable(node, fleet, fleetPlan);
    return why === undefined ? [] : [{ key, node, why }];
  });
  // Named relays are a preference among all of the fleet's; only when none of them can serve is it a mistake.
  const isLost =
    plan.relay &&
    (host.relayTargets.length > 0
      ? faults.length === host.relayTargets.length
      : plan.relays.length === 0 && plan.transport.kind === "relay");
  const reports: Report[] = faults.map(({ key, node, why }) => ({
    code: isLost ? ("relay-unusable" as const) : ("relay-target" as const),
    path: ["hosts", host.name, key],
    message: `${quote(node)} cannot relay: ${why}`,
    ...(why === "no such host" ? fleet.suggestName(node) : usable(fleetPlan)),
  }));
  if (isLost && faults.length === 0) {
    reports.push({
      code: "relay-unusable",
      path: ["hosts", host.name],
      atKey: true,
      message: `the host is in relay mode (${plan.relayReason}), and no deployed host can relay for it`,
      hint: "set relay_capable: true on a host that others can reach",
    });
  }
  return reports;
}

function usable(plan: FleetPlan): { hint?: string } {
  if (plan.relays.length === 0) return {};
  return { hint: `relays of this fleet: ${plan.relays.slice(0, 5).join(", ")}` };
}

function unusable(node: string, fleet: Fleet, plan: FleetPlan): string | undefined {
  if (plan.relays.includes(node)) return undefined;
  const host = fleet.hosts.get(node);
  const decision = plan.hosts.get(node);
  if (!host || !decision) return "no such host";
  if (decision.action !== "deploy") return `it is not deployed (${cite(decision.reason)})`;
  if (!host.relayCapable) return "relay_capable is not true";
  if (isRelayed(host)) return "it is in relay mode itself";
  return "others cannot reach it";
}

function pathRules(host: DeployHostPlan): Report[] {
  const { kind } = host.transport;
  if (kind !== "none" && kind !== "relay") return [];
  const isOffPath = Object.values(host.addresses).some((address) => address !== null);
  if (isOffPath && kind === "relay") return [];
  const what = isOffPath
    ? "p2p_discovery.methods has none of the paths that lead here"
    : "no tailnet address, tunnel or public address";
  return [
    {
      code: "no-address",
      path: ["hosts", host.name],
      atKey: true,
      message:
        kind === "relay"
          ? `${what}: others reach this node through a relay only`
          : `${what}: others cannot reach this node`,
      hint: isOffPath
        ? "add the path to p2p_discovery.methods"
        : "fleet sync tailscale enters the address of a joined device",
    },
  ];
}

function oneProvider(deployed: readonly DeployHostPlan[], plan: FleetPlan): Report[] {
  const providers = new Set(plan.relays.map((name) => plan.hosts.get(name)?.provider));
  const clients = deployed.filter((host) => host.relay).length;
  const [provider] = providers;
  const [first] = plan.relays;
  if (providers.size !== 1 || clients === 0 || first === undefined) return [];
  const isAlone = plan.relays.length === 1;
  // Two hosts whose provider nobody knows may well be at two.
  if (provider === "unknown" && !isAlone) return [];
  const what = isAlone
    ? `${first} is the only relay`
    : `all relays (${plan.relays.slice(0, 5).join(", ")}) are at ${provider}`;
  return [
    {
      code: "relays-one-provider",
      path: ["hosts", first, "relay_capable"],
      message: `${what}: its failure cuts off ${clients} relayed ${clients === 1 ? "host" : "hosts"}`,
      hint: "set relay_capable: true on a host of another provider",
    },
  ];
}
