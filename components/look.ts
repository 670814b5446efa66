/** Looks at the fleet, and asks again where a host is not what the plan took it for. */

import { type FleetConfig } from "../config";
import { factsOf } from "../converge/work";
import { type FleetPlan } from "../hosts/plan/types";
import { type Facts } from "../payload/facts";
import { probeFleet } from "../probe/probe";
import { type ProbeResult } from "../probe/types";
import { correctedWish, type Wish, type WishOptions } from "./tasks";

async function look(
  wishes: readonly Wish[],
  { probeParallel }: Pick<FleetConfig, "probeParallel">,
): Promise<ReadonlyMap<string, ProbeResult>> {
  return probeFleet(
    wishes.map((wish) => wish.target),
    { parallel: probeParallel },
  );
}

/** Hosts whose supervisor is not the one that the plan guessed are asked again, in the right terms. */
export async function lookAtAll(guesses: readonly Wish[], plan: FleetPlan, options: WishOptions) {
  const probes = await look(guesses, options.config);
  const corrected = new Map(
    guesses.flatMap((wish) => {
      const facts = factsOf(probes.get(wish.name));
      const other = correctedWish(wish, plan.hosts.get(wish.name), facts, options);
      return other ? [[wish.name, other]] : [];
    }),
  );
  if (corrected.size === 0) return { wishes: guesses, probes };
  const again = await look([...corrected.values()], options.config);
  return {
    wishes: guesses.map((wish) => corrected.get(wish.name) ?? wish),
    probes: new Map([...probes, ...again]),
  };
}

/** A look at some of the hosts while the run goes on. @returns facts of those that could tell any */
export function lookAgain(wishes: readonly Wish[], config: FleetConfig) {
  return async (names: readonly string[]): Promise<ReadonlyMap<string, Facts>> => {
    const found = await look(
      wishes.filter((wish) => names.includes(wish.name)),
      config,
    );
    return new Map(
      [...found].flatMap(([name, probe]) => {
        const facts = factsOf(probe);
        return facts ? [[name, facts]] : [];
      }),
    );
  };
}
