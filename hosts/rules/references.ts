/** Lists in other sections that name hosts. */

import { cite, quote, type Report } from "../finding";
import { type FleetPlan } from "../plan/types";
import { type ReadFleet } from "../unvalidated";

export function referenceRules(fleet: ReadFleet, plan: FleetPlan): Report[] {
  const names = new Set(fleet.names);
  return fleet.references.flatMap(({ path, node, wantsActive }): Report[] => {
    if (!names.has(node)) {
      const message = `${quote(node)} is not a host of the file`;
      return [{ code: "dangling-reference", path, message, ...fleet.suggestName(node) }];
    }
    const host = plan.hosts.get(node);
    if (!wantsActive || !host || host.action === "deploy") return [];
    const message = `${quote(node)} is preferred here, but not deployed (${cite(host.reason)})`;
    return [{ code: "reference-inactive", path, message }];
  });
}
