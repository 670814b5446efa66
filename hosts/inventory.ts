/** Loads an inventory: text in; fleet, plan and every finding out. Nothing in the text makes it throw. */

import { type Code } from "./codes";
import { parseInventory, type ParsedText } from "./document";
import { type Fleet } from "./fleet";
import { compareFindings, type Finding, formatPath, type Report, severityOf } from "./finding";
import { planFleet, type PlanOptions } from "./plan/planFleet";
import { type FleetPlan } from "./plan/types";
import { fleetRules, hostRules, planRules } from "./rules";
import { findFanOut } from "./rules/fanOut";
import { quotedBooleanRules } from "./rules/hostNotes";
import { secretRules } from "./rules/secrets";
import { readUnvalidated } from "./unvalidated";

export interface Inventory {
  /** Undefined where the file as a whole cannot be used. */
  readonly plan: FleetPlan | undefined;
  readonly fleet: Fleet | undefined;
  /** In file order. */
  readonly findings: readonly Finding[];
}

/**
 * Checks and plans the inventory.
 *
 * @param file name that findings carry; the text is not read from it
 */
export function loadInventory(text: string, file: string, options: PlanOptions = {}): Inventory {
  const parsed = parseInventory(text);
  const findings = parsed.reports.map((report) => ({
    severity: severityOf(report.code),
    code: report.code,
    path: formatPath(report.path ?? []),
    file,
    ...parsed.lineAndColumn(report.offset),
    message: report.message,
    hint: report.hint ?? null,
  }));
  if (!parsed.document) return { plan: undefined, fleet: undefined, findings: sorted(findings) };

  const checked = checkFleet(parsed.document.root, options);
  const reports = [
    ...checked.reports,
    ...quotedBooleanRules(parsed.document.quotedBooleans),
    ...secretRules(parsed.document.root),
  ];
  const located = reports.map((report) => toFinding(report, file, parsed));
  return { ...checked, findings: sorted([...findings, ...located]) };
}

interface Checked {
  readonly plan: FleetPlan | undefined;
  readonly fleet: Fleet | undefined;
  readonly reports: readonly Report[];
}

function checkFleet(root: unknown, options: PlanOptions): Checked {
  const { fleet: raw, reports } = readUnvalidated(root);
  if (!raw) return { plan: undefined, fleet: undefined, reports };
  const known = [
    ...reports,
    ...[...raw.hosts.values()].flatMap((host) => hostRules(host, raw)),
    ...fleetRules(raw),
  ];
  const excess = findFanOut(raw);
  if (excess) return { plan: undefined, fleet: undefined, reports: [...known, excess] };

  const fleet: Fleet = { ...raw, refused: refusals(known) };
  const plan = planFleet(fleet, options);
  const found = planRules(fleet, raw, plan, options);
  // A rule over the plan can refuse a host (no relay can serve it): then the others' plan is made without it.
  const late = refusals([...known, ...found]);
  if (late.size === fleet.refused.size) return { plan, fleet, reports: [...known, ...found] };
  const settled: Fleet = { ...fleet, refused: late };
  const refusing = found.filter((report) => isError(report.code) && hostOf(report) !== undefined);
  const final = planFleet(settled, options);
  const rest = planRules(settled, raw, final, options);
  return { plan: final, fleet: settled, reports: [...known, ...refusing, ...rest] };
}

function sorted(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(compareFindings);
}

function toFinding(report: Report, file: string, parsed: ParsedText): Finding {
  const offset = parsed.document?.offsetOf(report.path, report.atKey ?? false) ?? 0;
  return {
    severity: severityOf(report.code),
    code: report.code,
    path: formatPath(report.path),
    file,
    ...parsed.lineAndColumn(offset),
    message: report.message,
    hint: report.hint ?? null,
  };
}

/** Hosts with errors, and what the errors say; without places, so that the order of the file cannot show. */
function refusals(reports: readonly Report[]): Map<string, string[]> {
  const refused = new Map<string, string[]>();
  for (const report of reports) {
    const name = hostOf(report);
    if (name === undefined || !isError(report.code)) continue;
    const below = formatPath(report.path.slice(2));
    const text = below === "" ? report.message : `${below}: ${report.message}`;
    const known = refused.get(name);
    if (known) known.push(text);
    else refused.set(name, [text]);
  }
  for (const texts of refused.values()) texts.sort();
  return refused;
}

/** The host that the report is about. */
function hostOf({ path: [top, name] }: Report): string | undefined {
  return top === "hosts" && typeof name === "string" ? name : undefined;
}

function isError(code: Code): boolean {
  return severityOf(code) === "error";
}
