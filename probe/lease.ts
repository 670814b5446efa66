/** Bounds that nobody can hold up: work that takes long goes on without its place. */

import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";

/** Runs work as soon as there is a place for it. */
export type Lease = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * @param places pieces of work at the same time
 * @param milliseconds after which work that is not done leaves its place to the next one, and goes on
 */
export function makeLease(places: number, milliseconds: number): Lease {
  const limit = pLimit(places);
  return (work) =>
    new Promise((resolve, reject) => {
      void limit(async () => {
        const running = work();
        running.then(resolve, reject);
        const isOver = new AbortController();
        await Promise.race([running, sleep(milliseconds, undefined, { signal: isOver.signal })])
          .catch(() => undefined)
          .finally(() => isOver.abort());
      });
    });
}
