/** How each host ended, in one shape for the report, the outputs and the policy. */

export type OutcomeKind =
  | "healthy"
  | "changed"
  | "planned"
  | "failed"
  | "held"
  /** Outside `p2p:limit`: the operator's choice, so no failure. */
  | "limited"
  | "blocked"
  | "unreachable"
  | "untrusted"
  | "absent"
  | "skipped"
  | "refused";

export interface Outcome {
  readonly host: string;
  readonly provider: string;
  readonly role: "voter" | "worker" | "none";
  readonly kind: OutcomeKind;
  /** What changed, why it failed, why nobody looked; without times, so that it is the same in the next run. */
  readonly detail: string;
  /** Things to know though nothing failed. */
  readonly notes: readonly string[];
}

/** An unpaid debt: what a host misses that nobody could look at, and since when. */
export interface Debt {
  readonly since: string;
  readonly why: string;
}

const UNUSABLE: readonly OutcomeKind[] = ["unreachable", "untrusted"];

/** The debts of this run; `since` is kept from the last run for hosts that already owed. */
export function debtsOf(
  outcomes: readonly Outcome[],
  previous: Readonly<Record<string, Debt>>,
  now: string,
): Record<string, Debt> {
  return Object.fromEntries(
    outcomes
      .filter(({ kind }) => UNUSABLE.includes(kind))
      .map(({ host, detail }) => [host, { since: previous[host]?.since ?? now, why: detail }]),
  );
}
