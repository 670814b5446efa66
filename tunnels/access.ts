/** How names share Access applications, and which service tokens stand. */

/** Cloudflare's limit of domains for one application. */
export const DOMAINS_PER_APPLICATION = 5;

/** Number of an application → its names. */
export type Groups = Readonly<Record<string, readonly string[]>>;

/**
 * Five names to an application. A name stays where the last run had it, a new one takes the first free place:
 * adding or removing a host changes one application and moves no other name.
 */
export function groupNames(names: readonly string[], previous: Groups): Record<string, string[]> {
  const wanted = new Set(names);
  const placed = new Set<string>();
  const groups = new Map<number, string[]>();
  const numbered = Object.entries(previous)
    .filter(([key]) => /^[1-9]\d{0,3}$/.test(key))
    .sort(([a], [b]) => Number(a) - Number(b));
  for (const [key, members] of numbered) {
    const kept = [...new Set(members)]
      .filter((name) => wanted.has(name) && !placed.has(name))
      .slice(0, DOMAINS_PER_APPLICATION);
    for (const name of kept) placed.add(name);
    if (kept.length > 0) groups.set(Number(key), kept);
  }
  let number = 1;
  for (const name of [...wanted].filter((candidate) => !placed.has(candidate)).sort()) {
    while ((groups.get(number)?.length ?? 0) >= DOMAINS_PER_APPLICATION) number += 1;
    groups.set(number, [...(groups.get(number) ?? []), name]);
  }
  return Object.fromEntries(
    [...groups].sort(([a], [b]) => a - b).map(([key, members]) => [String(key), members.sort()]),
  );
}

export interface TokenStanding {
  /** Generations of service tokens that are let in, ascending. */
  readonly generations: readonly number[];
  /** Hosts that were not seen with the wanted token, sorted: old tokens stay for them. */
  readonly missing: readonly string[];
}

/**
 * Old tokens stand until every host was seen with the wanted one; the run after that drops them.
 *
 * @param previous generations that the last finished run left standing
 * @param hosts every host that is given the token; true where the probe saw the wanted one on it
 */
export function standingTokens(
  wanted: number,
  previous: readonly number[],
  hosts: ReadonlyMap<string, boolean>,
  overlap: boolean,
): TokenStanding {
  const old = [...new Set(previous)].filter((generation) => generation !== wanted);
  const missing = [...hosts].flatMap(([name, hasIt]) => (hasIt ? [] : [name])).sort();
  if (old.length === 0 || !overlap) return { generations: [wanted], missing: [] };
  if (missing.length === 0) return { generations: [wanted], missing };
  return { generations: [...old, wanted].sort((a, b) => a - b), missing };
}
