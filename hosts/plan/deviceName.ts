/** What a host's device is called in the tailnet, and when that tells nothing. */

import { type DeployHostPlan, type FleetPlan } from "./types";

/** A name as devices may have it (RFC 1123 label) from a node id. */
export function deviceName(node: string): string {
  const label = node.toLowerCase().replace(/[^a-z0-9-]+/g, "-");
  return label.slice(0, 63).replace(/^-+|-+$/g, "");
}

/** Deployed hosts whose devices would be called alike, by that name. */
export function alikeDevices(plan: FleetPlan): Map<string, DeployHostPlan[]> {
  const byName = new Map<string, DeployHostPlan[]>();
  for (const host of plan.hosts.values()) {
    if (host.action !== "deploy") continue;
    const name = deviceName(host.name);
    byName.set(name, [...(byName.get(name) ?? []), host]);
  }
  return new Map([...byName].filter(([, hosts]) => hosts.length > 1));
}
