import { type ResourceState } from "../state/resource";
import { changedKeys, diffInputs, type DetailedDiff, type DiffKind } from "./objectDiff";
import { contains, parsePath } from "./propertyPath";
import { type ValueMap } from "../../wire";

/** What a provider (or the comparison of inputs) says about a change. */
export interface Diff {
  changes: "none" | "some";
  replaceKeys: string[];
  changedKeys: string[];
  deleteBeforeReplace: boolean;
  detailed?: DetailedDiff;
}

export const NO_DIFF: Diff = {
  changes: "none",
  replaceKeys: [],
  changedKeys: [],
  deleteBeforeReplace: false,
};

/** A diff that replaces, for the given reason. */
export function replaceBecause(key: string): Diff {
  return { ...NO_DIFF, changes: "some", replaceKeys: [key] };
}

/** The diff of a resource whose provider has no opinion: its inputs are compared. */
export function compareInputs(olds: ValueMap, news: ValueMap): Diff {
  const detailed = diffInputs(olds, news);
  const keys = changedKeys(detailed);
  if (keys.length === 0) return NO_DIFF;
  return { ...NO_DIFF, changes: "some", changedKeys: keys, detailed };
}

export type Step =
  | { kind: "same" }
  | { kind: "update"; diff: Diff }
  | { kind: "replace"; diff: Diff; deleteFirst: boolean };

export interface Wishes {
  replaceOnChanges: readonly string[];
  /** The program's own choice, which wins over the provider's; undefined leaves it to the provider. */
  deleteBeforeReplace?: boolean;
}

const INIT_ERROR_KEY = "#initerror";

/** What happens to a resource that exists, given how it differs. */
export function decide(old: ResourceState, diff: Diff, wishes: Wishes): Step {
  const hasInitErrors = (old.initErrors?.length ?? 0) > 0;
  const judged = applyReplaceOnChanges(diff, wishes.replaceOnChanges, hasInitErrors);
  if (judged.replaceKeys.length > 0 || old.pendingReplacement) {
    const deleteFirst = wishes.deleteBeforeReplace ?? judged.deleteBeforeReplace;
    return {
      kind: "replace",
      diff: judged,
      deleteFirst: deleteFirst || old.pendingReplacement === true,
    };
  }
  // A resource that exists but is not initialised gets an update even without a change: it goes on waiting.
  if (judged.changes === "some" || hasInitErrors) return { kind: "update", diff: judged };
  return { kind: "same" };
}

/** Adds the keys that the program wants replaced to those the provider names. */
export function applyReplaceOnChanges(
  diff: Diff,
  replaceOnChanges: readonly string[],
  hasInitErrors: boolean,
): Diff {
  if (diff.changes === "none" && !hasInitErrors) return { ...diff, replaceKeys: [] };
  const paths = replaceOnChanges.flatMap((text) => {
    const path = parsePath(text);
    return path ? [path] : [];
  });
  if (paths.length === 0) return diff;
  const hits = (key: string): boolean => {
    const path = parsePath(key);
    return path !== undefined && paths.some((outer) => contains(outer, path));
  };
  const changed = [...diff.changedKeys, ...Object.keys(diff.detailed ?? {})];
  const keys = new Set([...diff.replaceKeys, ...changed.filter(hits)]);
  if (hasInitErrors && hits(INIT_ERROR_KEY)) keys.add(INIT_ERROR_KEY);
  return {
    ...diff,
    changes: keys.size > 0 ? "some" : diff.changes,
    replaceKeys: [...keys],
    detailed: diff.detailed && markReplaces(diff.detailed, hits),
  };
}

function markReplaces(detailed: DetailedDiff, hits: (key: string) => boolean): DetailedDiff {
  const entries = Object.entries(detailed).map(([key, diff]) => {
    const kind: DiffKind =
      hits(key) && !diff.kind.endsWith("-replace")
        ? (`${diff.kind}-replace` as DiffKind)
        : diff.kind;
    return [key, { ...diff, kind }];
  });
  return Object.fromEntries(entries) as DetailedDiff;
}
