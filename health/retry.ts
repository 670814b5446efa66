/** The shortest `p2p:limit` that means some hosts of a fleet and no other. */

/** Fewer hosts than this are named one by one. */
const SMALLEST_GROUP = 3;

/**
 * @param owing sorted host names
 * @param all every host of the fleet
 * @returns names and `prefix*` patterns separated by commas; null where nobody owes
 */
export function limitFor(owing: readonly string[], all: readonly string[]): string | null {
  if (owing.length === 0) return null;
  if (owing.length >= SMALLEST_GROUP && owing.length === all.length) return "*";
  const patterns: string[] = [];
  let rest = owing;
  while (rest.length > 0) {
    const [first = ""] = rest;
    const prefix = prefixesOf(first).find((candidate) => {
      const meant = all.filter((name) => name.startsWith(candidate));
      return meant.length >= SMALLEST_GROUP && meant.every((name) => owing.includes(name));
    });
    patterns.push(prefix === undefined ? first : `${prefix}*`);
    const isMeant = (name: string) =>
      prefix === undefined ? name === first : name.startsWith(prefix);
    rest = rest.filter((name) => !isMeant(name));
  }
  return patterns.join(",");
}

/** `vast-`, `vast-a100-` of `vast-a100-7`: what people name groups by; shortest first. */
function prefixesOf(name: string): string[] {
  return [...name.matchAll(/[-_.]/g)].map(({ index }) => name.slice(0, index + 1));
}
