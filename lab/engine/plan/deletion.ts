import { dependenciesOf, type ResourceState } from "../state/resource";

/**
 * Orders deletions into rounds: a resource is in a round only when nothing left refers to it. Resources of one round
 * may go side by side.
 * @param condemned in state order, dependencies first
 */
export function deletionRounds(condemned: readonly ResourceState[]): ResourceState[][] {
  const rounds: ResourceState[][] = [];
  let left = [...condemned];
  while (left.length > 0) {
    const needed = new Set<string>();
    for (const state of left) for (const urn of dependenciesOf(state)) needed.add(urn);
    let round = left.filter((state) => !needed.has(state.urn));
    // Copies of different generations can refer to each other in a circle: then the youngest goes first.
    if (round.length === 0) round = left.slice(-1);
    rounds.push(round);
    const gone = new Set(round);
    left = left.filter((state) => !gone.has(state));
  }
  return rounds;
}

/** Every resource in `states` that reaches `root` through its dependencies, in state order. */
export function dependentsOf(root: string, states: readonly ResourceState[]): ResourceState[] {
  const reached = new Set([root]);
  return states.filter((state) => {
    if (state.urn === root) return false;
    for (const urn of dependenciesOf(state)) {
      if (reached.has(urn)) {
        reached.add(state.urn);
        return true;
      }
    }
    return false;
  });
}

/** URNs that `states` need, directly or through others. */
export function neededBy(
  states: readonly ResourceState[],
  all: readonly ResourceState[],
): Set<string> {
  const byUrn = new Map(all.map((state) => [state.urn, state]));
  const needed = new Set<string>();
  const queue = [...states];
  for (let state = queue.pop(); state; state = queue.pop()) {
    for (const urn of dependenciesOf(state)) {
      if (needed.has(urn)) continue;
      needed.add(urn);
      const next = byUrn.get(urn);
      if (next) queue.push(next);
    }
  }
  return needed;
}
