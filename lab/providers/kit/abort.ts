/** Milliseconds that a call has, once aborted, to say itself how it ended. */
const GRACE = 1000;

/**
 * Runs a call under a signal. When the signal aborts, the call gets a moment to end by itself (and thereby to tell
 * what it had already done); then it is given up and the signal's reason is thrown.
 */
export async function runAborted<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: givenUp, reject } = rejectable();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => reject(signal.reason), GRACE);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([call(), givenUp]);
  } catch (error) {
    // Node's own functions throw an error of theirs that has lost why the signal was aborted.
    if (signal.aborted && error instanceof Error && error.name === "AbortError")
      throw signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function rejectable(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject!: (reason: unknown) => void;
  const promise = new Promise<never>((_, fail) => {
    reject = fail;
  });
  return { promise, reject };
}
