/** Bounds that nobody can hold up: work that takes long goes on without its place. */

import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";

/** Runs work as soon as there is a place for it. */
export type Lease = <T>(work: () => Promise<T>) => Promise<T>;

/** Nobody leaves sooner than after this share of the whole time. */
const SHORTEST = 1 / 6;

/**
 * What is slower than others were is taken for stalled, and more readily where some stall already.
 *
 * @param milliseconds longest time
 * @param late pieces of work that have left their places and are not done
 * @param slowest milliseconds that the slowest took which got done; undefined: none did
 * @returns milliseconds after which the next one leaves its place
 */
export function leaseOf(milliseconds: number, late: number, slowest: number | undefined): number {
  if (slowest === undefined && late === 0) return milliseconds;
  const others = (late === 0 ? 2 : 1) * (slowest ?? 0);
  return Math.min(milliseconds, Math.max(milliseconds * SHORTEST, others));
}

/**
 * @param places pieces of work at the same time
 * @param milliseconds after which, at the latest, work that is not done leaves its place to the next one, and goes on
 */
export function makeLease(places: number, milliseconds: number): Lease {
  const limit = pLimit(places);
  let late = 0;
  let slowest: number | undefined;
  return (work) =>
    new Promise((resolve, reject) => {
      void limit(async () => {
        const begun = performance.now();
        const running = work();
        running.then(resolve, reject);
        const done = running.then(
          () => (slowest = Math.max(slowest ?? 0, performance.now() - begun)),
          () => undefined,
        );
        const isOver = new AbortController();
        const isLate = await Promise.race([
          done.then(() => false),
          sleep(leaseOf(milliseconds, late, slowest), true, { signal: isOver.signal }),
        ]);
        isOver.abort();
        if (!isLate) return;
        late += 1;
        void done.then(() => (late -= 1));
      });
    });
}
