import { UNKNOWN } from "./sentinels";
import {
  isMap,
  isOutputValue,
  isResourceReference,
  isSecret,
  isUnknown,
  secret,
  unwrap,
  type Value,
  type ValueMap,
} from "./values";

/** Rebuilds a tree from its leaves up: `change` sees each value after its children were changed. */
export function mapValue(value: Value, change: (value: Value) => Value): Value {
  if (Array.isArray(value)) return change(value.map((item) => mapValue(item, change)));
  if (isMap(value)) return change(mapEntries(value, (item) => mapValue(item, change)));
  return change(value);
}

/** A copy of the object with each of its values changed. */
export function mapEntries(map: ValueMap, change: (value: Value, key: string) => Value): ValueMap {
  return Object.fromEntries(Object.entries(map).map(([key, item]) => [key, change(item, key)]));
}

/** True when the test holds for the value or anything inside it. */
export function someValue(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((item) => someValue(item, test));
  return isMap(value) && Object.values(value).some((item) => someValue(item, test));
}

/** True when something in the value is known only after the update. */
export function hasUnknown(value: Value): boolean {
  return someValue(value, isUnknown);
}

/** True when the value is or contains a secret. */
export function hasSecret(value: Value): boolean {
  return someValue(value, isSecret);
}

/** The value without its secret marks, at every depth. */
export function unwrapSecrets<T extends Value>(value: T): T;
export function unwrapSecrets(value: Value): Value {
  return mapValue(value, unwrap);
}

/** Names of the properties that are or contain a secret. */
export function secretKeys(map: ValueMap): string[] {
  return Object.keys(map).filter((key) => hasSecret(map[key]!));
}

/** Marks the named properties as secret, each as a whole (inner marks go away); absent ones stay absent. */
export function markSecret(map: ValueMap, keys: Iterable<string>): ValueMap {
  const marked = new Set(keys);
  return mapEntries(map, (value, key) => (marked.has(key) ? secret(unwrapSecrets(value)) : value));
}

/** Each reference to a resource as its id (custom resources) or its URN (components), as the CLI does it. */
export function lowerReferences<T extends Value>(value: T): T;
export function lowerReferences(value: Value): Value {
  return mapValue(value, (item) =>
    isResourceReference(item) ? (item["id"] ?? item["urn"] ?? null) : item,
  );
}

/** Each output value as the value, secret or unknown that it stands for. */
export function lowerOutputs<T extends Value>(value: T): T;
export function lowerOutputs(value: Value): Value {
  return mapValue(value, (item) => {
    if (!isOutputValue(item)) return item;
    const inner = Object.hasOwn(item, "value") ? item["value"]! : UNKNOWN;
    return item["secret"] === true ? secret(inner) : inner;
  });
}

/** Deep equality; the order of keys does not count. */
export function equalValues(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, i) => equalValues(item, b[i]))
    );
  }
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equalValues(a[key], b[key]))
  );
}
