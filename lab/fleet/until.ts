import { setTimeout as sleep } from "node:timers/promises";

/**
 * Looks again until there is an answer.
 * @param deadline milliseconds after which null is returned
 * @param pause milliseconds between looks
 */
export async function until<T>(
  look: () => T | null | false | Promise<T | null | false>,
  deadline: number,
  pause = 25,
): Promise<T | null> {
  const end = performance.now() + deadline;
  for (;;) {
    const found = await look();
    if (found !== null && found !== false) return found;
    if (performance.now() >= end) return null;
    await sleep(pause);
  }
}
