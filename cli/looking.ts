/** How far a look at many hosts has got, on standard error. */

/** From here on somebody who waits is told for what. */
const PATIENCE_MILLISECONDS = 2000;

export interface Looking {
  /** One more host has been looked at. */
  one(): void;
  /** Takes the count away again. */
  end(): void;
}

/** A count on a terminal; elsewhere one plain line, when it takes longer than two seconds. */
export function looking(total: number, stream: NodeJS.WriteStream = process.stderr): Looking {
  if (stream.isTTY) {
    let done = 0;
    return {
      one: () => void stream.write(`\rlooked at ${(done += 1)} of ${total}`),
      end: () => void stream.write("\r\u001b[K"),
    };
  }
  const timer = setTimeout(
    () => stream.write(`looking at ${total} ${total === 1 ? "host" : "hosts"}\n`),
    PATIENCE_MILLISECONDS,
  );
  return { one: () => undefined, end: () => clearTimeout(timer) };
}
