/** Rules over hosts, over the whole file, and over the plan. Each is a function from facts to reports. */

import { type Fleet } from "../fleet";
import { type Report } from "../finding";
import { type FleetPlan } from "../plan/types";
import { type ReadFleet, type ReadHost } from "../unvalidated";
import { coordinatorRules } from "./coordinator";
import { deviceRules } from "./devices";
import { duplicateRules } from "./duplicates";
import { hostValueRules } from "./host";
import { hostNoteRules } from "./hostNotes";
import { exposureRules } from "./exposure";
import { jumpRules } from "./jump";
import { type PlanOptions } from "../plan/planFleet";
import { referenceRules } from "./references";
import { relayRules } from "./relays";
import { tunnelRules } from "./tunnels";
import { voterRules } from "./voters";

/** What is wrong with one host by itself. */
export function hostRules(host: ReadHost, fleet: ReadFleet): Report[] {
  return [...hostValueRules(host), ...jumpRules(host, fleet)];
}

/** What is wrong between hosts. */
export function fleetRules(fleet: ReadFleet): Report[] {
  return duplicateRules(fleet);
}

/** What the decisions reveal. */
export function planRules(
  fleet: Fleet,
  read: ReadFleet,
  plan: FleetPlan,
  options: PlanOptions = {},
): Report[] {
  return [
    ...[...read.hosts.values()].flatMap((host) => hostNoteRules(host, plan)),
    ...relayRules(fleet, plan),
    ...voterRules(fleet, plan),
    ...coordinatorRules(fleet, plan),
    ...referenceRules(read, plan),
    ...tunnelRules(plan, options.tunnels),
    ...deviceRules(plan, options.tailnet === true),
    ...exposureRules(plan, options),
  ];
}
