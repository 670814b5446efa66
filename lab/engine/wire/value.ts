/**
 * A property value as it travels over the wire and lies in the state: plain JSON. What JSON cannot say is an object
 * with a signature (a secret, an asset), or the unknown marker, a string that may stand anywhere in the tree.
 * The constants are Pulumi's (sdk/go/common/resource/sig, resource/plugin/rpc.go).
 */
export type Value = null | boolean | number | string | Value[] | ValueMap;
export interface ValueMap {
  [key: string]: Value;
}

export const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";
export const ASSET = "c44067f5952c0a294b673a41bacd8c17";
export const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
export const RESOURCE_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e";
export const OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface Secret extends ValueMap {
  [SIGNATURE_KEY]: typeof SECRET;
  value: Value;
}

export function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The signature of a special object, or undefined for an ordinary value. */
export function signatureOf(value: Value | undefined): string | undefined {
  if (!isMap(value)) return undefined;
  const signature = value[SIGNATURE_KEY];
  return typeof signature === "string" ? signature : undefined;
}

export function isSecret(value: Value | undefined): value is Secret {
  return signatureOf(value) === SECRET;
}

/** Marks a value secret; one that already is stays as it is. */
export function secret(value: Value): Secret {
  return isSecret(value) ? value : { [SIGNATURE_KEY]: SECRET, value };
}

/** Rebuilds a value from the leaves up; `visit` sees every node after its children. */
export function transform(value: Value, visit: (node: Value) => Value): Value {
  if (Array.isArray(value)) return visit(value.map((item) => transform(item, visit)));
  if (!isMap(value)) return visit(value);
  return visit(transformMap(value, visit));
}

/** `transform` for every entry of a map, but not for the map itself. */
export function transformMap(map: ValueMap, visit: (node: Value) => Value): ValueMap {
  const result: ValueMap = {};
  for (const [key, item] of Object.entries(map)) setOwn(result, key, transform(item, visit));
  return result;
}

/** Assigns a key even when it is `__proto__`, which plain assignment would swallow. */
export function setOwn(map: ValueMap, key: string, value: Value): void {
  if (key === "__proto__") {
    Object.defineProperty(map, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else map[key] = value;
}

/** True when `test` holds for the value or anything in it. */
export function some(value: Value | undefined, test: (node: Value) => boolean): boolean {
  if (value === undefined) return false;
  if (test(value)) return true;
  if (Array.isArray(value)) return value.some((item) => some(item, test));
  return isMap(value) && Object.values(value).some((item) => some(item, test));
}

export const hasSecret = (value: Value | undefined): boolean => some(value, isSecret);
export const hasUnknown = (value: Value | undefined): boolean =>
  some(value, (node) => node === UNKNOWN);

/** The value without its secret marks. */
export function reveal(value: Value): Value {
  return transform(value, (node) => (isSecret(node) ? node.value : node));
}

export function revealMap(map: ValueMap): ValueMap {
  return transformMap(map, (node) => (isSecret(node) ? node.value : node));
}

/** The value with every secret replaced by the text `[secret]`. */
export function blind(value: Value): Value {
  if (isSecret(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(blind);
  return isMap(value) ? blindMap(value) : value;
}

export function blindMap(map: ValueMap): ValueMap {
  const result: ValueMap = {};
  for (const [key, item] of Object.entries(map)) setOwn(result, key, blind(item));
  return result;
}

/** Deep equality; with `ignoreSecrecy` a secret equals its content. Missing and null differ. */
export function equal(a: Value | undefined, b: Value | undefined, ignoreSecrecy = false): boolean {
  if (ignoreSecrecy) {
    if (isSecret(a)) return equal(a.value, b, true);
    if (isSecret(b)) return equal(a, b.value, true);
  }
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index], ignoreSecrecy));
  }
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key], ignoreSecrecy))
  );
}
