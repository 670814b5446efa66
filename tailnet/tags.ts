/** The tags of the fleet's devices. */

import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";

export function deployedHosts(plan: FleetPlan): DeployHostPlan[] {
  return [...plan.hosts.values()].filter((host) => host.action === "deploy");
}

/** Sorted. @param more tags that no host of the plan has yet */
export function fleetTags(plan: FleetPlan, more: readonly string[] = []): string[] {
  const tags = deployedHosts(plan).flatMap((host) => host.authKey.tags);
  return [...new Set([...tags, ...more])].sort();
}
