/** Rules over who may lead. */

import { type Fleet } from "../fleet";
import { type Report } from "../finding";
import { isRelayed } from "../plan/addresses";
import { type FleetPlan } from "../plan/types";

export function coordinatorRules(fleet: Fleet, plan: FleetPlan): Report[] {
  const candidates = [...fleet.hosts.values()].filter((host) => host.role === "coordinator");
  const relayed = candidates.filter(
    (host) => isRelayed(host) && plan.hosts.get(host.name)?.action === "deploy",
  );
  const reports: Report[] = relayed.map((host) => ({
    code: "coordinator-relayed",
    path: ["hosts", host.name, "role"],
    message: "a node in relay mode cannot lead; the host does not count as coordinator",
  }));
  const hasDeployed = [...plan.hosts.values()].some((host) => host.action === "deploy");
  if (plan.coordinator === null && hasDeployed) {
    const [first] = plan.voters.effective;
    reports.push({
      code: "coordinator-missing",
      path: ["hosts"],
      atKey: true,
      message: "no deployed host has role: coordinator; the fleet will have no leader",
      ...(first === undefined
        ? {}
        : { hint: `set role: coordinator on a stable voter, such as ${first}` }),
    });
  }
  return reports;
}
