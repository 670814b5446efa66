/** A node's number is its address on every host, and daemons remember addresses of nodes that have left. */

import { type FleetPlan } from "../hosts/plan/types";

/** Longer than daemons keep a peer that is gone, over a holiday during which some of them are down. */
export const REST_DAYS = 14;

/** A node that is gone, and since when nobody has its number. */
export interface LeftNumber {
  readonly node: string;
  readonly number: number;
  /** ISO 8601. */
  readonly since: string;
}

/** What earlier runs left behind. */
export interface KnownNumbers {
  /** Of the last run's nodes, by name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Of nodes that left before that, in the order of their leaving. */
  readonly leftNumbers: readonly LeftNumber[];
}

/** @returns what is wrong with each number that is or was another node's, sorted by name */
export function reusedNumbers(
  plan: FleetPlan,
  { numbers, leftNumbers }: KnownNumbers,
  now: string,
): string[] {
  const before = new Map<number, { node: string; until: string }>();
  for (const { node, number, since } of resting(leftNumbers, now))
    before.set(number, { node, until: `until ${since.slice(0, 10)}` });
  for (const [node, number] of Object.entries(numbers))
    before.set(number, { node, until: "in the last run" });
  return [...plan.hosts.values()].flatMap(({ name, number, action }) => {
    const owner = number === null ? undefined : before.get(number);
    if (action !== "deploy" || owner === undefined || owner.node === name) return [];
    return [
      `hosts.${name}: number ${number} was ${owner.node}'s ${owner.until}, and daemons may still know ${owner.node} by it; ` +
        `choose another p2p_number, or wait until nobody has had it for ${REST_DAYS} days`,
    ];
  });
}

/** @returns what the next run has to know of nodes that are gone: those that left now last */
export function rememberLeft(
  plan: FleetPlan,
  { numbers, leftNumbers }: KnownNumbers,
  now: string,
): LeftNumber[] {
  const has = (node: string, number: number): boolean => {
    const host = plan.hosts.get(node);
    return host?.action === "deploy" && host.number === number;
  };
  const leaving = Object.entries(numbers).map(([node, number]) => ({ node, number, since: now }));
  return [...resting(leftNumbers, now), ...leaving].filter(
    ({ node, number }) => !has(node, number),
  );
}

function resting(left: readonly LeftNumber[], now: string): LeftNumber[] {
  const days = (since: string): number => (Date.parse(now) - Date.parse(since)) / 86_400_000;
  return left.filter(({ since }) => days(since) < REST_DAYS);
}
