/** Which cluster token each daemon is to require (D6): none is asked for before every host has its file. */

export interface TokenHolder {
  readonly name: string;
  /** The wanted token's file is there, or can be written in this run. */
  readonly canHave: boolean;
  /** Digest that the host's release requires now; null: none; undefined: it has no release, or nobody looked. */
  readonly requires: string | null | undefined;
  /** Its path forwarder gives callers what its daemon asks for, and nobody gets to the daemon past it. */
  readonly lends: boolean;
}

export interface TokenDecision {
  /** Digest of the token that each host's release requires in this run; null: none. */
  readonly required: ReadonlyMap<string, string | null>;
  /** Hosts that hold the switch up, sorted; empty when it is made or there is nothing to switch. */
  readonly missing: readonly string[];
  /**
   * How daemons that run change their token: in the ordinary waves where no other daemon notices, else all at
   * once, since one that requires a token refuses those without, or with another.
   */
  readonly change: "none" | "waves" | "at once";
  /** Because of whom it is not in waves, sorted. */
  readonly withoutForwarder: readonly string[];
}

/**
 * A switch begins when every host can have the token, so that the whole fleet ends up with one.
 * @param wanted digest that is to be required; null: no daemon is to ask for one
 */
export function decideToken(wanted: string | null, hosts: readonly TokenHolder[]): TokenDecision {
  const running = hosts.filter(({ requires }) => requires !== undefined);
  const withoutForwarder = names(running.filter(({ lends }) => !lends));
  const areApart = withoutForwarder.length > 0;
  const common = mostCommon(running.map(({ requires }) => requires ?? null));
  // A run that was cut off among daemons that all change at once: where it had begun, the token of before is gone.
  const isHalfway = areApart && running.some(({ requires }) => requires === wanted);
  const hasBegun = wanted === null || wanted === common || isHalfway;
  const missing = hasBegun ? [] : names(hosts.filter(({ canHave }) => !canHave));
  const requiredOf = ({ requires, canHave }: TokenHolder): string | null => {
    if (missing.length === 0) return wanted;
    // Behind forwarders, hosts on either side of a switch that broke off understand each other.
    if (areApart || common === undefined) return common ?? null;
    if (requires !== undefined) return requires;
    return canHave ? wanted : common;
  };
  const required = new Map(hosts.map((host) => [host.name, requiredOf(host)]));
  const isChange = running.some(({ name, requires }) => requires !== required.get(name));
  const change = isChange ? (areApart ? "at once" : "waves") : "none";
  return { required, missing, change, withoutForwarder };
}

function names(hosts: readonly TokenHolder[]): string[] {
  return hosts.map(({ name }) => name).sort();
}

function mostCommon(values: readonly (string | null)[]): string | null | undefined {
  const counts = new Map<string | null, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}
