/** What holds for the result of any text at all. */

import { CODES } from "../../../hosts/codes";
import { type Finding } from "../../../hosts/finding";
import { type Inventory } from "../../../hosts/inventory";
import { type FleetPlan } from "../../../hosts/plan/types";

/** Control characters, and those that are invisible or turn the reading direction. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Everything that is wrong with a result; one comparison for all of it, because a file can have thousands of findings. */
export function faultsOf(text: string, { plan, fleet, findings }: Inventory): unknown[] {
  const lines = text.split("\n").length;
  const faults: unknown[] = findings.filter((finding) => !isSound(finding, lines));
  if (plan && fleet)
    return [...faults, ...planFaults(plan, fleet.names, [...fleet.refused.keys()])];
  const hasError = findings.some(({ severity }) => severity === "error");
  return hasError ? faults : [...faults, "neither a plan nor an error"];
}

function isSound(finding: Finding, lines: number): boolean {
  const shown = [finding.path, finding.message, finding.hint ?? ""];
  return (
    finding.severity === CODES[finding.code].severity &&
    finding.line >= 1 &&
    finding.line <= lines &&
    finding.column >= 1 &&
    finding.message !== "" &&
    !shown.some((part) => UNPRINTABLE.test(part))
  );
}

function planFaults(plan: FleetPlan, names: readonly string[], refused: readonly string[]) {
  const hosts = [...plan.hosts.values()];
  const same = (one: readonly string[], other: readonly string[]): boolean =>
    JSON.stringify(one) === JSON.stringify([...other].sort());
  const isRefused = hosts.filter(({ action }) => action === "refused").map(({ name }) => name);
  return [
    ...(same([...plan.hosts.keys()], names) ? [] : ["other hosts than in the file"]),
    ...(same(isRefused, refused) ? [] : ["other refused hosts than those with errors"]),
    ...hosts.filter(({ reason }) => reason === "" || UNPRINTABLE.test(reason)),
    ...hosts.filter(({ provider }) => !/^[a-z][a-z0-9-]*$/.test(provider)),
  ];
}
