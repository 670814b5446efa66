/** Loads an inventory: text in; fleet, plan and every finding out. Nothing in the text makes it throw. */

import { type Code } from "./codes";
import { parseInventory, type ParsedText } from "./document";
import { type Fleet, type Host } from "./fleet";
import { compareFindings, type Finding, formatPath, type Report, severityOf } from "./finding";
import { planFleet, type PlanOptions } from "./plan/planFleet";
import { type FleetPlan } from "./plan/types";
import { fleetRules, hostRules, planRules } from "./rules";
import { isTextPath, readUnvalidated } from "./unvalidated";

export interface Inventory {
  /** Undefined where the file as a whole cannot be used. */
  readonly plan: FleetPlan | undefined;
  readonly fleet: Fleet | undefined;
  /** In file order. */
  readonly findings: readonly Finding[];
}

/** Thrown by callers that cannot go on without a plan; its message has every error with file:line:col. */
export class InventoryError extends Error {
  override readonly name = "InventoryError";
  constructor(readonly findings: readonly Finding[]) {
    const errors = findings.filter((finding) => finding.severity === "error");
    super(
      errors
        .map((finding) => `${finding.file}:${finding.line}:${finding.column} ${finding.message}`)
        .join("\n"),
    );
  }
}

/**
 * Checks and plans the inventory.
 *
 * @param file name that findings carry; the text is not read from it
 */
export function loadInventory(text: string, file: string, options: PlanOptions = {}): Inventory {
  const parsed = parseInventory(text, isTextPath);
  const findings = parsed.reports.map((report) => ({
    severity: severityOf(report.code),
    code: report.code,
    path: "",
    file,
    ...parsed.lineAndColumn(report.offset),
    message: report.message,
    hint: report.hint ?? null,
  }));
  if (!parsed.document) return { plan: undefined, fleet: undefined, findings: sorted(findings) };

  const raw = readUnvalidated(parsed.document.root);
  const reports: Report[] = [...raw.reports];
  const add = (more: readonly Report[]): void => void reports.push(...more);
  const locate = (): Finding[] => [
    ...findings,
    ...reports.map((report) => toFinding(report, file, parsed)),
  ];
  if (!raw.fleet) return { plan: undefined, fleet: undefined, findings: sorted(locate()) };

  for (const host of raw.fleet.hosts.values()) add(hostRules(host, raw.fleet));
  add(fleetRules(raw.fleet));
  const fleet: Fleet = { ...raw.fleet, refused: refusals(reports) };
  const plan = planFleet(fleet, options);
  add(planRules(fleet, raw.fleet, plan));
  // A rule of the plan can refuse a host as well (a relay that cannot serve it): plan once more without it.
  const late = refusals(reports);
  const settled = late.size === fleet.refused.size ? fleet : { ...fleet, refused: late };
  return {
    plan: settled === fleet ? plan : planFleet(settled, options),
    fleet: settled,
    findings: sorted(locate()),
  };
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
  for (const { code, path, message } of reports) {
    const [top, name, ...rest] = path;
    if (top !== "hosts" || typeof name !== "string" || !isError(code)) continue;
    const text = rest.length > 0 ? `${formatPath(rest)}: ${message}` : message;
    refused.set(name, [...(refused.get(name) ?? []), text].sort());
  }
  return refused;
}

function isError(code: Code): boolean {
  return severityOf(code) === "error";
}

export type { Fleet, Host };
