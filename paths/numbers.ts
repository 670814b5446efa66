/** A node's number is its address on every host, and daemons remember addresses of nodes that have left. */

import { type FleetPlan } from "../hosts/plan/types";

/**
 * @param previous numbers of the last run's nodes
 * @returns what is wrong with each number that is another node's now, sorted by name
 */
export function reusedNumbers(
  plan: FleetPlan,
  previous: Readonly<Record<string, number>>,
): string[] {
  const before = new Map(Object.entries(previous).map(([name, number]) => [number, name]));
  return [...plan.hosts.values()].flatMap(({ name, number, action }) => {
    const owner = number === null ? undefined : before.get(number);
    if (action !== "deploy" || owner === undefined || owner === name) return [];
    return [
      `hosts.${name}: number ${number} was ${owner}'s in the last run, and daemons may still know ${owner} by it; ` +
        `choose another p2p_number, or give it up in one run and to ${name} in the next`,
    ];
  });
}
