import {
  createMasker,
  equalValues,
  hasSecret,
  isMap,
  isSecret,
  lowerOutputs,
  lowerReferences,
  mapEntries,
  secret,
  secretTexts,
  someValue,
  unwrap,
  unwrapSecrets,
  type Value,
  type ValueMap,
} from "../../wire";

/** What is secret in a request: opened for the provider, masked in texts, sealed again in what goes back. */
export interface SecretScope {
  /** The values without their marks, as a provider reads them. */
  open(values: ValueMap): ValueMap;
  /** A text without the secrets of this request. */
  mask(text: string): string;
  /**
   * The values with their marks: what was secret under the same name, the named ones (`key`, `key.field`), and any
   * that did not come with the request and whose text contains a secret of it.
   */
  seal(values: ValueMap, from: ValueMap, alwaysSecret?: readonly string[]): ValueMap;
}

/**
 * @param received all values of the request, marks included
 * @param publicFields fields inside secret objects that texts may show
 */
export function createSecretScope(
  received: readonly ValueMap[],
  publicFields: readonly string[] = [],
): SecretScope {
  const isPublic = (field: string) => publicFields.includes(field);
  const texts = new Set(received.flatMap((values) => secretTexts(lowerOutputs(values), isPublic)));
  const mask = createMasker(texts);
  return {
    mask,
    open: (values) => unwrapSecrets(lowerReferences(lowerOutputs(values))),
    seal(values, from, alwaysSecret = []) {
      const declared = alwaysSecret.map((path) => path.split("."));
      const given = lowerReferences(lowerOutputs(from));
      const marked = mapEntries(values, (value, key) => {
        const source = Object.hasOwn(given, key) ? given[key] : undefined;
        if (source === undefined) return leaks(value, mask) ? secret(value) : value;
        // What came through unchanged keeps its marks exactly where they were.
        if (equalValues(unwrapSecrets(source), value)) return source;
        return hasSecret(source) ? secret(value) : value;
      });
      return declared.reduce<ValueMap>((map, path) => markPath(map, path), marked);
    },
  };
}

/** True when a text inside the value contains a known secret. */
function leaks(value: Value, mask: (text: string) => string): boolean {
  return someValue(value, (item) => typeof item === "string" && mask(item) !== item);
}

/** Marks a property, or one field inside it, be the property secret or not. What is not there stays absent. */
function markPath(map: ValueMap, [key = "", ...rest]: readonly string[]): ValueMap {
  const value = map[key];
  if (value === undefined) return map;
  if (rest.length === 0) return { ...map, [key]: secret(value) };
  const inner = unwrap(value);
  if (!isMap(inner)) return map;
  const marked = markPath(inner, rest);
  return { ...map, [key]: isSecret(value) ? secret(marked) : marked };
}
