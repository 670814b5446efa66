/** Keys that nobody reads are slips of the pen: they are named, with what was probably meant. */

import { suggestFrom } from "../hosts/near";

type Fail = (key: string, expected: string, got: unknown) => void;

/**
 * @param raw a mapping of the configuration
 * @param place its key, without `p2p:`
 * @param fail told of every key that is not known
 */
export function onlyKeys(raw: object, place: string, known: readonly string[], fail: Fail): void {
  const unknown = Object.keys(raw).filter((key) => !known.includes(key));
  for (const key of unknown) fail(place, `only ${known.join(", ")}${advice(key, known)}`, key);
}

/**
 * For a schema that has found the unknown ones itself.
 * @param known keys of all its mappings: what was meant is looked for there
 */
export function unknownKeys(
  keys: readonly string[],
  place: string,
  known: readonly string[],
  fail: Fail,
): void {
  for (const key of keys) fail(place, `only known keys${advice(key, known)}`, key);
}

/** @returns a sentence for each setting that there is not, in their order */
export function unknownSettings(names: readonly string[], known: readonly string[]): string[] {
  return names
    .filter((name) => !known.includes(name))
    .map((name) => `p2p:${name}: there is no such setting${advice(name, known)}`);
}

function advice(key: string, known: readonly string[]): string {
  const { hint } = suggestFrom(known)(key);
  return hint === undefined ? "" : ` (${hint.replace(/^D/, "d")})`;
}
