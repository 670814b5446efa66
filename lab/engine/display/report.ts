import { type Diagnostic } from "../deployment/events";
import { type RunRecord } from "./record";
import { durationLine, summaryLines } from "./summary";
import { diffLines, valueLines } from "./valueDiff";
import { resourceLabel } from "./words";
import { equalValues } from "../../wire";

/** Everything that follows the steps: diagnostics by resource, outputs, counts, duration. */
export function reportLines(
  record: RunRecord,
  options: { isPreview: boolean; suppressOutputs: boolean; now: number },
): string[] {
  const blocks = [
    diagnosticLines(record.diagnostics),
    options.suppressOutputs ? [] : outputLines(record),
    summaryLines(record.counts, options.isPreview),
    [durationLine(options.now - record.startedAt)],
  ];
  return blocks
    .filter((block) => block.length > 0)
    .flatMap((block) => [...block, ""])
    .map((line) => record.masker.mask(line));
}

function diagnosticLines(diagnostics: readonly Diagnostic[]): string[] {
  const byResource = new Map<string, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    const label = diagnostic.urn ? resourceLabel(diagnostic.urn) : "pulumi:pulumi:Stack";
    byResource.set(label, [...(byResource.get(label) ?? []), diagnostic]);
  }
  if (byResource.size === 0) return [];
  const groups = [...byResource].flatMap(([label, group]) => [
    `  ${label}:`,
    ...group.flatMap(messageLines),
  ]);
  return ["Diagnostics:", ...groups];
}

function messageLines({ severity, message }: Diagnostic): string[] {
  const [first = "", ...rest] = message.trimEnd().split("\n");
  const prefix = severity === "info" ? "" : `${severity}: `;
  return [`    ${prefix}${first}`, ...rest.map((line) => `    ${line}`)];
}

function outputLines(record: RunRecord): string[] {
  const { outputs } = record;
  if (!outputs) return [];
  const { before, after } = outputs;
  if (Object.keys(before).length === 0 && Object.keys(after).length === 0) return [];
  if (equalValues(before, after)) return ["Outputs:", ...valueLines(after, " ", 2)];
  const unchanged = Object.fromEntries(
    Object.entries(after).filter(([key, value]) => equalValues(before[key], value)),
  );
  return ["Outputs:", ...diffLines(before, after, 2), ...valueLines(unchanged, " ", 2)];
}
