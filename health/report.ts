/** What happened in a run, as one object: every rendering of it says the same. */

import { type VoterPlan } from "../hosts/plan/types";
import { type Debt, type Outcome, type OutcomeKind } from "./outcome";
import { type Judgement } from "./policy";
import { limitFor } from "./retry";

export interface Recap {
  readonly light: Judgement["light"];
  readonly reasons: readonly string[];
  readonly voters: {
    readonly declared: number;
    readonly effective: number;
    readonly quorum: number;
    readonly margin: number;
  };
  /** Hosts by outcome, worst first; `detail` is what changed, why it failed, why it waits. */
  readonly groups: readonly {
    readonly kind: OutcomeKind;
    readonly detail: string;
    readonly hosts: readonly string[];
  }[];
  readonly providers: readonly {
    readonly provider: string;
    readonly hosts: number;
    readonly well: number;
  }[];
  readonly notes: readonly { readonly note: string; readonly hosts: readonly string[] }[];
  /** Who owes, since when and why; oldest first. */
  readonly debts: readonly ({ readonly hosts: readonly string[] } & Debt)[];
  /** Who owed before this run and no longer does; oldest first. */
  readonly paid: readonly { readonly since: string; readonly hosts: readonly string[] }[];
  /** Value for `p2p:limit` that tries again where something is owed; null where nothing is. */
  readonly retry: string | null;
}

export interface RecapInput {
  readonly outcomes: readonly Outcome[];
  readonly debts: Readonly<Record<string, Debt>>;
  /** Debts before this run. @default none */
  readonly previous?: Readonly<Record<string, Debt>>;
  readonly judgement: Judgement;
  readonly voters: VoterPlan;
}

const ORDER: readonly OutcomeKind[] = [
  "failed",
  "blocked",
  "held",
  "unreachable",
  "untrusted",
  "refused",
  "limited",
  "planned",
  "changed",
  "healthy",
  "absent",
  "skipped",
];
const RETRY: readonly OutcomeKind[] = ["failed", "blocked", "held", "unreachable", "untrusted"];
const WELL: readonly OutcomeKind[] = ["healthy", "changed"];
const PAID: readonly OutcomeKind[] = ["healthy", "changed", "absent"];
const NO_NODE: readonly OutcomeKind[] = ["skipped", "refused", "absent"];

export function makeRecap({ outcomes, debts, previous, judgement, voters }: RecapInput): Recap {
  const { light, reasons } = judgement;
  const { declared, effective, quorum, margin } = voters;
  const names = (members: readonly { readonly host: string }[]) =>
    members.map(({ host }) => host).sort();
  const groups = groupBy(
    outcomes,
    ({ kind, detail }) => `${kind} ${detail}`,
    ([first], members) => ({
      kind: first.kind,
      detail: first.detail,
      hosts: names(members),
    }),
  );
  const nodes = outcomes.filter(({ kind }) => !NO_NODE.includes(kind));
  const noted = outcomes.flatMap(({ host, notes }) => notes.map((note) => ({ host, note })));
  const owed = Object.entries(debts).map(([host, debt]) => ({ host, ...debt }));
  const settled = outcomes.flatMap(({ host, kind }) => {
    const debt = previous?.[host];
    return debt && PAID.includes(kind) ? [{ host, since: debt.since }] : [];
  });
  return {
    light,
    reasons,
    voters: { declared: declared.length, effective: effective.length, quorum, margin },
    groups: groups.sort(
      (a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || compare(a.detail, b.detail),
    ),
    providers: groupBy(
      nodes,
      ({ provider }) => provider,
      ([{ provider }], members) => ({
        provider,
        hosts: members.length,
        well: members.filter(({ kind }) => WELL.includes(kind)).length,
      }),
    ).sort((a, b) => compare(a.provider, b.provider)),
    notes: groupBy(
      noted,
      ({ note }) => note,
      ([{ note }], members) => ({
        note,
        hosts: names(members),
      }),
    ).sort((a, b) => compare(a.note, b.note)),
    debts: groupBy(
      owed,
      ({ since, why }) => `${since} ${why}`,
      ([{ since, why }], members) => ({
        hosts: names(members),
        since,
        why,
      }),
    ).sort((a, b) => compare(a.since, b.since) || compare(a.why, b.why)),
    paid: groupBy(
      settled,
      ({ since }) => since,
      ([{ since }], members) => ({
        since,
        hosts: names(members),
      }),
    ).sort((a, b) => compare(a.since, b.since)),
    retry: limitFor(names(outcomes.filter(({ kind }) => RETRY.includes(kind))), names(outcomes)),
  };
}

/** Longer ones would fill a screen; the stack's outputs have the whole list. */
const LONGEST_LIMIT = 300;

/** What to paste to try again; null where nothing is owed. */
export function retryCommand({ retry }: Pick<Recap, "retry">): string | null {
  if (retry === null) return null;
  return retry.length <= LONGEST_LIMIT
    ? `P2P_LIMIT=${quoted(retry)} pulumi up`
    : // With an empty limit, where the first command fails, `up` would mean every host.
      'limit=$(npx fleet outputs --format retry) && P2P_LIMIT="$limit" pulumi up';
}

/** A pattern is nothing for the shell to expand, and a name may hold anything. */
function quoted(text: string): string {
  return /^[\w.,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function groupBy<T, R>(
  items: readonly T[],
  key: (item: T) => string,
  make: (first: readonly [T], members: readonly T[]) => R,
): R[] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups.values()].map((members) => make([members[0]], members));
}
