import { isMap, isSecret, mapEntries, type Value, type ValueMap } from "../../wire";

/** The value with every secret replaced by the text `[secret]`. */
export function blind(value: Value): Value {
  if (isSecret(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(blind);
  return isMap(value) ? blindMap(value) : value;
}

export function blindMap(map: ValueMap): ValueMap {
  return mapEntries(map, blind);
}

/** What a secret holds; any other value itself. */
export function contentOf(value: Value | undefined): Value | undefined {
  return isSecret(value) ? (value["value"] ?? null) : value;
}

/** Deep equality in which a secret equals its content. Missing and null differ. */
export function equalContent(left: Value | undefined, right: Value | undefined): boolean {
  const a = contentOf(left);
  const b = contentOf(right);
  if (a === b) return true;
  if (isSecret(a) || isSecret(b)) return equalContent(a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equalContent(item, b[index]));
  }
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equalContent(a[key], b[key]))
  );
}
