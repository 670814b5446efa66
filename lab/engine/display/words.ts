import { type Op, type StepEvent } from "../deployment/events";
import { urnName, urnType } from "../plan/urn";
import { STACK_TYPE } from "../state/resource";

export const SIGNS: Record<Op, string> = {
  same: "  ",
  create: "+ ",
  update: "~ ",
  delete: "- ",
  replace: "+-",
  "create-replacement": "++",
  "delete-replaced": "--",
  import: "= ",
  read: "> ",
  discard: "< ",
};

const RUNNING: Record<Op, string> = {
  same: "unchanged",
  create: "creating",
  update: "updating",
  delete: "deleting",
  replace: "replacing",
  "create-replacement": "creating replacement",
  "delete-replaced": "deleting original",
  import: "importing",
  read: "reading",
  discard: "discarding",
};

const DONE: Record<Op, string> = {
  same: "unchanged",
  create: "created",
  update: "updated",
  delete: "deleted",
  replace: "replaced",
  "create-replacement": "created replacement",
  "delete-replaced": "deleted original",
  import: "imported",
  read: "read",
  discard: "discarded",
};

export type Phase = "running" | "done" | "failed";

/** What a step does, did, or in a preview would do. */
export function stepWord(op: Op, phase: Phase, isPreview: boolean): string {
  if (isPreview) return op === "same" ? "" : op.replace("-", " ");
  if (phase === "failed") return `**${RUNNING[op]} failed**`;
  return phase === "running" ? RUNNING[op] : DONE[op];
}

/** `command:remote:Command web-prepare` */
export function resourceLabel(urn: string): string {
  return `${urnType(urn)} ${urnName(urn)}`;
}

/**
 * What a preview tells: changes, each replacement once and not by its parts, and the stack itself.
 */
export function isChange({ op, urn }: StepEvent): boolean {
  if (op === "same") return urnType(urn) === STACK_TYPE;
  return !["create-replacement", "delete-replaced"].includes(op);
}

/** The properties behind a change, as `[diff: ~stdin,+environment]`. */
export function diffNote(step: StepEvent): string {
  const detailed = step.diff?.detailed;
  if (!detailed || Object.keys(detailed).length === 0) {
    const keys = step.diff?.changedKeys ?? [];
    return keys.length > 0 ? ` [diff: ${keys.map((key) => `~${key}`).join(",")}]` : "";
  }
  const signs = new Map<string, string>();
  for (const [path, { kind }] of Object.entries(detailed)) {
    const key = /^[^.[]+/.exec(path)?.[0] ?? path;
    const sign =
      path !== key ? "~" : kind.startsWith("add") ? "+" : kind.startsWith("delete") ? "-" : "~";
    signs.set(key, signs.has(key) ? "~" : sign);
  }
  return ` [diff: ${[...signs].map(([key, sign]) => `${sign}${key}`).join(",")}]`;
}
