/** Which cluster token the daemons are to require (D6): none is asked for before every host has its file. */

export interface TokenHolder {
  readonly name: string;
  /** The wanted token's file is there, or can be written in this run. */
  readonly canHave: boolean;
  /** Digest that the host's release requires now; null: none; undefined: it has no release, or nobody looked. */
  readonly requires: string | null | undefined;
}

export interface TokenDecision {
  /** Digest of the token that releases require in this run; null: none. */
  readonly active: string | null;
  /** Hosts that hold the switch up, sorted; empty when it is made or there is nothing to switch. */
  readonly missing: readonly string[];
}

/**
 * A daemon with a token refuses those without, or with another: so the whole fleet switches, or nobody does.
 * @param wanted digest that is to be required; null: no daemon is to ask for one
 */
export function decideToken(wanted: string | null, hosts: readonly TokenHolder[]): TokenDecision {
  const running = mostCommon(
    hosts.flatMap(({ requires }) => (requires === undefined ? [] : [requires])),
  );
  if (wanted === null || wanted === running) return { active: wanted, missing: [] };
  const missing = hosts.filter(({ canHave }) => !canHave).map(({ name }) => name);
  if (missing.length === 0) return { active: wanted, missing };
  return { active: running ?? null, missing: missing.sort() };
}

function mostCommon(values: readonly (string | null)[]): string | null | undefined {
  const counts = new Map<string | null, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}
