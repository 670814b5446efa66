import { formatPath, type PropertyPath } from "./propertyPath";
import { isMap, isSecret, signatureOf, type Value, type ValueMap } from "../../wire";
import { contentOf, equalContent } from "../wire/compare";

/** How one property changes, in the words of `preview --json`. */
export type DiffKind =
  "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface PropertyDiff {
  kind: DiffKind;
  /** True when old and new inputs are compared, false for old outputs against new inputs. */
  inputDiff: boolean;
}

export type DetailedDiff = Record<string, PropertyDiff>;

/**
 * Compares two sets of inputs property by property, down to the smallest part that differs. Secrecy alone is no
 * difference, and keys that begin with `__` are bookkeeping of providers.
 */
export function diffInputs(olds: ValueMap, news: ValueMap): DetailedDiff {
  const result: DetailedDiff = {};
  diffMaps(olds, news, [], result);
  return result;
}

/** Top-level properties of a detailed diff, in its order. */
export function changedKeys(detailed: DetailedDiff): string[] {
  return [...new Set(Object.keys(detailed).map(topLevelKey))];
}

export function topLevelKey(path: string): string {
  return /^[^.[]+/.exec(path)?.[0] ?? path;
}

function diffMaps(olds: ValueMap, news: ValueMap, at: PropertyPath, result: DetailedDiff): void {
  for (const key of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    if (key.startsWith("__")) continue;
    diffValues(olds[key], news[key], [...at, key], result);
  }
}

function diffValues(
  old: Value | undefined,
  next: Value | undefined,
  at: PropertyPath,
  result: DetailedDiff,
): void {
  if (isSecret(old)) return diffValues(contentOf(old), next, at, result);
  if (isSecret(next)) return diffValues(old, contentOf(next), at, result);
  if (equalContent(old, next)) return;
  const kind = old === undefined ? "add" : next === undefined ? "delete" : "update";
  if (isPlainMap(old) && isPlainMap(next)) return diffMaps(old, next, at, result);
  if (Array.isArray(old) && Array.isArray(next)) {
    for (let index = 0; index < Math.max(old.length, next.length); index++) {
      diffValues(old[index], next[index], [...at, index], result);
    }
    return;
  }
  result[formatPath(at)] = { kind, inputDiff: true };
}

function isPlainMap(value: Value | undefined): value is ValueMap {
  return isMap(value) && signatureOf(value) === undefined;
}
