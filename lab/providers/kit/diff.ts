import {
  equalValues,
  isMap,
  isSecret,
  signatureOf,
  unwrapSecrets,
  type Value,
  type ValueMap,
} from "../../wire";
import { type ChangeKind, type DiffResult } from "./types";

type PlainKind = "add" | "delete" | "update";

/**
 * What differs between two sets of inputs, one entry per innermost path (`connection.host`, `triggers[0]`).
 * A value that becomes secret, or stops being it, has changed. Properties whose name starts with `__` and the package's `version` belong to the engine and do not count.
 * @param replaceOnChanges properties that make the resource be replaced, at whatever depth they changed
 */
export function diffInputs(
  olds: ValueMap,
  news: ValueMap,
  replaceOnChanges: readonly string[] = [],
): DiffResult {
  const changes: Record<string, ChangeKind> = {};
  const keys = new Set([...Object.keys(olds), ...Object.keys(news)].filter(isOfProvider));
  for (const key of keys) {
    const found = new Map<string, PlainKind>();
    compare(key, olds[key], news[key], found);
    for (const [path, kind] of found) {
      changes[path] = replaceOnChanges.includes(key) ? `${kind}-replace` : kind;
    }
  }
  return { changes };
}

/** Property path in the engine's notation: plain names with dots, others in brackets. */
export function joinPath(prefix: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${prefix}.${key}` : `${prefix}[${JSON.stringify(key)}]`;
}

function isOfProvider(key: string): boolean {
  return key !== "version" && !key.startsWith("__");
}

function compare(
  path: string,
  before: Value | undefined,
  after: Value | undefined,
  found: Map<string, PlainKind>,
): void {
  if (isSecret(before) && isSecret(after)) {
    // Marks inside a secret add nothing, and a path inside one would tell what changed.
    if (!equalValues(unwrapSecrets(before), unwrapSecrets(after))) found.set(path, "update");
    return;
  }
  if (equalValues(before, after)) return;
  if (before === undefined) found.set(path, "add");
  else if (after === undefined) found.set(path, "delete");
  else if (Array.isArray(before) && Array.isArray(after)) {
    for (let i = 0; i < Math.max(before.length, after.length); i++) {
      compare(`${path}[${i}]`, before[i], after[i], found);
    }
  } else if (isMap(before) && isMap(after) && !signatureOf(before) && !signatureOf(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      compare(joinPath(path, key), before[key], after[key], found);
    }
  } else found.set(path, "update");
}
