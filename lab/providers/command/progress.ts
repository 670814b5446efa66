import { type Duplex } from "node:stream";

/** A slow trickle of bytes is no handshake either: after this many times the patience it is over. */
const MAX_STRETCH = 4;

export interface ProgressWatch {
  /** Rejects when the stream has been silent for too long. */
  readonly promise: Promise<never>;
  /** To be called when somebody reads from the stream: a listener too early would take the first bytes away. */
  start(): void;
  stop(): void;
}

/**
 * Watches that bytes keep coming.
 * @param patience milliseconds of silence that are allowed
 * @param awaited what the other side owes, for the error's text
 */
export function watchProgress(
  stream: Duplex,
  patience: number,
  awaited: () => string,
): ProgressWatch {
  let fail!: (error: Error) => void;
  const promise = new Promise<never>((_, reject) => {
    fail = reject;
  });
  promise.catch(() => undefined);
  let seen = false;
  let rounds = 0;
  let timer: NodeJS.Timeout | undefined;
  const note = () => {
    seen = true;
  };
  const look = () => {
    // When this process itself was kept waiting, the timer is served before the bytes that are already here.
    setImmediate(() => {
      if (!timer) return;
      rounds += 1;
      if (!seen || rounds >= MAX_STRETCH) {
        const seconds = (patience * (seen ? rounds : 1)) / 1000;
        fail(new Error(`no answer within ${seconds} s while waiting for ${awaited()}`));
        return;
      }
      seen = false;
      timer = setTimeout(look, patience);
    });
  };
  return {
    promise,
    start() {
      stream.on("data", note);
      timer = setTimeout(look, patience);
    },
    stop() {
      stream.off("data", note);
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
