import {
  createMasker,
  isMap,
  isSecret,
  isUnknown,
  lowerOutputs,
  lowerReferences,
  markSecret,
  secret,
  secretKeys,
  secretTexts,
  someValue,
  unwrap,
  unwrapSecrets,
  type ValueMap,
} from "../../wire";

/** What is secret in a request: opened for the provider, masked in texts, sealed again in what goes back. */
export interface SecretScope {
  /** The values without their marks, as a provider reads them. */
  open(values: ValueMap): ValueMap;
  /** A text without the secrets of this request. */
  mask(text: string): string;
  /**
   * The values with their marks: what was secret under the same name, the named ones, and any other whose text
   * contains a secret of the request.
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
      const whole = declared.filter((path) => path.length === 1).map(([key]) => key!);
      const leaking = Object.keys(values).filter(
        (key) =>
          // A property that came in plain under this name was plain before this provider saw it.
          !Object.hasOwn(from, key) &&
          someValue(values[key]!, (item) => typeof item === "string" && mask(item) !== item),
      );
      const marked = markSecret(values, [...secretKeys(lowerOutputs(from)), ...whole, ...leaking]);
      return declared
        .filter((path) => path.length > 1)
        .reduce<ValueMap>((map, path) => markPath(map, path), marked);
    },
  };
}

/** Marks one field inside an object as well, be the object secret or not. What is not there stays absent. */
function markPath(map: ValueMap, [key = "", ...rest]: readonly string[]): ValueMap {
  const value = map[key];
  if (value === undefined || value === null || isUnknown(value)) return map;
  if (rest.length === 0) return { ...map, [key]: secret(value) };
  const inner = unwrap(value);
  if (!isMap(inner)) return map;
  const marked = markPath(inner, rest);
  return { ...map, [key]: isSecret(value) ? secret(marked) : marked };
}
