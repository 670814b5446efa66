/** Longest wait for anything, in milliseconds: only a hang reaches it. */
const DEADLINE = 120_000;

/**
 * Calls `look` until it gives something else than undefined; what it throws on the way is told at the end.
 * @param pause milliseconds between looks
 */
export async function eventually<T>(
  look: () => Promise<T | undefined> | T | undefined,
  pause = 30,
): Promise<T> {
  const end = Date.now() + DEADLINE;
  let last: unknown = "nothing seen";
  while (Date.now() < end) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new Error(`not seen within ${DEADLINE} ms: ${String(last)}`);
}
