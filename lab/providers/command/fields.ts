import { isArchive, isAsset, isMap, isUnknown, type Value, type ValueMap } from "../../wire";
import { type CheckFailure } from "../kit";

/** What a field may hold. Unknown is always allowed: a preview does not know everything. */
export type FieldType =
  | "string"
  | "number"
  | "boolean"
  | "strings"
  | "string map"
  | "list"
  | "asset or archive"
  | { readonly oneOf: readonly string[] }
  | { readonly object: Fields };

export interface Field {
  readonly type: FieldType;
  readonly required?: true;
  readonly fallback?: Value;
}

/** A closed set of fields with the name that messages give it. */
export interface Fields {
  readonly name: string;
  readonly fields: Readonly<Record<string, Field>>;
}

/**
 * Judges an object and fills in defaults. A null counts as absent, as in the official plugin. Messages name fields and
 * types but never a value: the object may be a connection with keys in it.
 * @param path where the object stands, empty at the top
 */
export function checkFields(
  fields: Fields,
  given: ValueMap,
  path = "",
): { readonly checked: ValueMap; readonly failures: CheckFailure[] } {
  const checked: ValueMap = {};
  const failures: CheckFailure[] = [];
  const at = (key: string) => (path ? `${path}.${key}` : key);
  for (const [key, value] of Object.entries(given)) {
    const field = Object.hasOwn(fields.fields, key) ? fields.fields[key] : undefined;
    if (!field) {
      const reason = `Unrecognized field '${key}' on '${fields.name}'`;
      failures.push({ property: at(key), reason });
    } else if (value !== null) {
      const result = checkValue(field.type, value, at(key));
      checked[key] = result.checked;
      failures.push(...result.failures);
    }
  }
  for (const [key, field] of Object.entries(fields.fields)) {
    if (Object.hasOwn(checked, key)) continue;
    if (field.fallback !== undefined) checked[key] = field.fallback;
    else if (field.required) {
      const reason = `Missing required field '${key}' on '${fields.name}'`;
      failures.push({ property: at(key), reason });
    }
  }
  return { checked, failures };
}

function checkValue(
  type: FieldType,
  value: Value,
  path: string,
): { readonly checked: Value; readonly failures: readonly CheckFailure[] } {
  if (isUnknown(value)) return { checked: value, failures: [] };
  if (typeof type === "object" && "object" in type && isMap(value)) {
    return checkFields(type.object, value, path);
  }
  const failures = matches(type, value) ? [] : [{ property: path, reason: mismatch(type, value) }];
  return { checked: value, failures };
}

function matches(type: FieldType, value: Value): boolean {
  const isText = (item: Value) => typeof item === "string";
  if (typeof type === "object") return "oneOf" in type && type.oneOf.some((word) => word === value);
  switch (type) {
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
    case "strings":
      return Array.isArray(value) && value.every(isText);
    case "string map":
      return isMap(value) && Object.values(value).every(isText);
    case "list":
      return Array.isArray(value);
    case "asset or archive":
      return isAsset(value) || isArchive(value);
  }
}

function mismatch(type: FieldType, value: Value): string {
  const wanted = `must be ${describe(type)}`;
  // A word that is none of the known ones may still be a secret in the wrong place.
  return typeof type === "object" && "oneOf" in type ? wanted : `${wanted}, got ${kindOf(value)}`;
}

function describe(type: FieldType): string {
  if (typeof type !== "object") {
    return (
      { strings: "a list of strings", "string map": "a map of strings" }[type as string] ??
      `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`
    );
  }
  return "oneOf" in type ? `one of ${type.oneOf.join(", ")}` : "an object";
}

function kindOf(value: Value): string {
  if (Array.isArray(value)) return "a list";
  if (isMap(value)) return "an object";
  return value === null ? "null" : `a ${typeof value}`;
}
