import { type StepEvent } from "../deployment/events";
import { type ResourceState } from "../state/resource";
import { equalValues } from "../../wire";

/** How many resources each operation touched; only operations that stand for a resource as a whole are counted. */
export type Counts = Partial<
  Record<"create" | "update" | "delete" | "import" | "replace" | "same" | "read", number>
>;

const LINES = [
  { op: "create", sign: "+ ", future: "to create", past: "created" },
  { op: "import", sign: "= ", future: "to import", past: "imported" },
  { op: "update", sign: "~ ", future: "to update", past: "updated" },
  { op: "delete", sign: "- ", future: "to delete", past: "deleted" },
  { op: "replace", sign: "+-", future: "to replace", past: "replaced" },
] as const;

/** The count a finished step belongs to. Something read counts only if it reads otherwise than the last time. */
export function countOf(
  { op, old }: StepEvent,
  state: ResourceState | undefined,
): keyof Counts | undefined {
  if (op === "create-replacement" || op === "delete-replaced" || op === "discard") return undefined;
  if (op !== "read") return op;
  return old && !equalValues(old.outputs, state?.outputs) ? "read" : undefined;
}

/** Number of resources that change. */
export function changesIn(counts: Counts): number {
  return LINES.reduce((sum, { op }) => sum + (counts[op] ?? 0), 0);
}

/** The `Resources:` block at the end of a run, in the CLI's words. */
export function summaryLines(counts: Counts, isPreview: boolean): string[] {
  const kinds = LINES.filter(({ op }) => (counts[op] ?? 0) > 0);
  const lines = kinds.map(
    ({ op, sign, future, past }) => `    ${sign}${counts[op]} ${isPreview ? future : past}`,
  );
  const total = changesIn(counts);
  const pieces = [
    ...(kinds.length >= 2 ? [`${total} changes`] : []),
    ...(counts.same ? [`${counts.same} unchanged`] : []),
  ];
  if (pieces.length > 0) lines.push(`    ${pieces.join(". ")}`);
  return lines.length > 0 ? ["Resources:", ...lines] : [];
}

/** Whole seconds, as the CLI prints them. */
export function durationLine(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  return `Duration: ${minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`}`;
}
