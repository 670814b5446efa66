/**
 * Texts in the words of the official plugin, which is written in Go: people search for these messages, and states and
 * logs of both can be compared.
 */

/** A string as Go's %q prints it. */
export function quote(text: string): string {
  const escaped = text.replace(/["\\]|[^\P{C}]|[^\P{Z} ]/gu, (char) => {
    const short = SHORT[char];
    if (short) return short;
    const code = char.codePointAt(0)!;
    if (code < 0x80) return `\\x${hex(code, 2)}`;
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
  return `"${escaped}"`;
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

/** The error of a command: what happened, which command, and all that it printed in the order it came. */
export function commandError(cause: string, command: string, output: string): Error {
  return new Error(`${cause}: running ${quote(command)}:\n${output}`);
}

/** A dial's error by Node's code. @param address host:port */
export function dialError(address: string, error: NodeJS.ErrnoException): Error {
  const [host] = address.split(/:\d+$/);
  const known: Record<string, string> = {
    ECONNREFUSED: "connect: connection refused",
    EHOSTUNREACH: "connect: no route to host",
    ENETUNREACH: "connect: network is unreachable",
    ETIMEDOUT: "connect: connection timed out",
    ECONNRESET: "connect: connection reset by peer",
  };
  if (error.code === "ENOTFOUND") return new Error(`dial tcp: lookup ${host}: no such host`);
  return new Error(`dial tcp ${address}: ${known[error.code ?? ""] ?? error.message}`);
}
