import {
  ARCHIVE,
  ASSET,
  OUTPUT_VALUE,
  RESOURCE_REFERENCE,
  SECRET,
  SIGNATURE_KEY,
  UNKNOWNS,
} from "./sentinels";

/** A property value as it is on the wire and in the state: plain JSON, special values as marked objects. */
export type Value = null | boolean | number | string | Value[] | ValueMap;

/** The properties of a resource. A key whose value is null and a missing key differ. */
export interface ValueMap {
  [key: string]: Value;
}

/** True for a JSON object, marked or not. */
export function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The kind of a marked object (one of the constants in sentinels.ts), undefined for anything else. */
export function signatureOf(value: Value | undefined): string | undefined {
  if (!isMap(value) || !Object.hasOwn(value, SIGNATURE_KEY)) return undefined;
  const signature = value[SIGNATURE_KEY];
  return typeof signature === "string" ? signature : undefined;
}

/** True for a secret, whether it holds a plain `value` or a `ciphertext`. */
export function isSecret(value: Value | undefined): value is ValueMap {
  return signatureOf(value) === SECRET;
}

/** True for an asset (`text`, `path` or `uri`). */
export function isAsset(value: Value | undefined): value is ValueMap {
  return signatureOf(value) === ASSET;
}

/** True for an archive (`assets`, `path` or `uri`). */
export function isArchive(value: Value | undefined): value is ValueMap {
  return signatureOf(value) === ARCHIVE;
}

/** True for a reference to another resource (`urn`, `id`). */
export function isResourceReference(value: Value | undefined): value is ValueMap {
  return signatureOf(value) === RESOURCE_REFERENCE;
}

/** True for an output value (`value?`, `secret?`, `dependencies?`). */
export function isOutputValue(value: Value | undefined): value is ValueMap {
  return signatureOf(value) === OUTPUT_VALUE;
}

/** True for a value that only the update will know; what is inside arrays and objects is not looked at. */
export function isUnknown(value: Value | undefined): boolean {
  return typeof value === "string" && UNKNOWNS.has(value);
}

/** Wraps a value as secret; a secret stays as it is. */
export function secret(value: Value): ValueMap {
  return isSecret(value) ? value : { [SIGNATURE_KEY]: SECRET, value };
}

/** What is inside a secret (null if it holds none), any other value itself. Only the outermost layers are removed. */
export function unwrap(value: Value): Value {
  let inner = value;
  while (isSecret(inner)) inner = inner["value"] ?? null;
  return inner;
}
