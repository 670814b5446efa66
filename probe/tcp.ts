/** The first two stages of a dial: a TCP connection, and the server's SSH banner on it. */

import { type LookupAddress, promises as dns } from "node:dns";
import { isIP, type LookupFunction, Socket } from "node:net";
import { type Duplex } from "node:stream";
import { clean } from "../payload/untrusted";
import { type Budget } from "./budget";
import { DialFailure, seconds } from "./failure";
import { STAGE } from "./limits";

/** Bytes and lines that a server may send before its banner (RFC 4253, 4.2 sets no bound; OpenSSH takes 8 KiB). */
const BANNER_BYTES = 8_192;

/** Looks every name up once: names of one gateway stand there many times, and lookups share four threads. */
export class Names {
  readonly #found = new Map<string, Promise<LookupAddress[]>>();

  lookup(name: string): Promise<LookupAddress[]> {
    let found = this.#found.get(name);
    if (!found) {
      found = dns.lookup(name, { all: true });
      found.catch(() => undefined);
      this.#found.set(name, found);
    }
    return found;
  }
}

/** @throws DialFailure `unresolved`, `refused`, `timed-out` */
export async function connect(
  host: string,
  port: number,
  names: Names,
  budget: Budget,
): Promise<Socket> {
  const addresses = isIP(host) ? undefined : await resolve(host, names, budget);
  const lookup: LookupFunction = (_name, options, callback) => {
    const [first] = addresses ?? [];
    if (options.all) callback(null, addresses ?? []);
    else callback(null, first?.address ?? "", first?.family);
  };
  const socket = new Socket();
  // Errors are looked at while somebody waits; at any other time they show as a closed connection.
  socket.on("error", () => undefined);
  try {
    await budget.phase<void>(
      STAGE.connect,
      ({ resolve, reject }) => {
        const onError = (error: NodeJS.ErrnoException) => reject(describe(error));
        socket.once("connect", resolve).once("error", onError);
        socket.connect({
          host,
          port,
          ...(addresses && { lookup }),
          // Node's 250 ms would give up an address that is merely far away.
          autoSelectFamilyAttemptTimeout: 1_500,
        });
        return () => socket.off("connect", resolve).off("error", onError);
      },
      (given) => new DialFailure("timed-out", `no answer within ${seconds(given)}`),
    );
  } catch (error) {
    socket.destroy();
    throw error;
  }
  socket.setNoDelay(true);
  return socket;
}

function resolve(host: string, names: Names, budget: Budget): Promise<LookupAddress[]> {
  return budget.phase<LookupAddress[]>(
    STAGE.connect,
    ({ resolve, reject }) => {
      names.lookup(host).then(
        (addresses) =>
          addresses.length > 0
            ? resolve(addresses)
            : reject(new DialFailure("unresolved", `the name ${host} has no address`)),
        (error: NodeJS.ErrnoException) =>
          reject(
            new DialFailure(
              "unresolved",
              error.code === "ENOTFOUND"
                ? `the name ${host} does not exist`
                : `the name ${host} cannot be looked up (${error.code})`,
            ),
          ),
      );
      return () => undefined;
    },
    (given) =>
      new DialFailure("unresolved", `looking up ${host} gave no answer within ${seconds(given)}`),
  );
}

function describe(error: NodeJS.ErrnoException): DialFailure {
  // With several addresses Node gathers their errors.
  const codes = (error as { errors?: NodeJS.ErrnoException[] }).errors?.map(({ code }) => code);
  const code = codes?.includes("ECONNREFUSED") ? "ECONNREFUSED" : (error.code ?? codes?.[0]);
  if (code === "ECONNREFUSED") return new DialFailure("refused", "connection refused");
  if (code === "ETIMEDOUT") return new DialFailure("timed-out", "no answer");
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH")
    return new DialFailure("timed-out", `no route to it (${code})`);
  if (code === "ECONNRESET")
    return new DialFailure("closed", "closed the connection at once", true);
  return new DialFailure("closed", `the connection failed (${code ?? "unknown error"})`);
}

/**
 * Waits for a whole `SSH-…` line and puts everything back, so that the stream can be handed on. A server that
 * has said that much is there: what costs CPU begins only now.
 *
 * @throws DialFailure `stalled`, `closed`
 */
export function awaitBanner(stream: Duplex, budget: Budget): Promise<void> {
  let heard = Buffer.alloc(0);
  return budget.phase<void>(
    STAGE.banner,
    ({ resolve, reject }) => {
      const onData = (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk]);
        if (/(^|\n)SSH-[^\n]*\n/.test(heard.toString("latin1"))) {
          stream.pause();
          resolve();
        } else if (heard.length > BANNER_BYTES) {
          reject(new DialFailure("stalled", `does not speak SSH${quoted(heard)}`));
        }
      };
      const onEnd = () => reject(closed(heard));
      stream.on("data", onData).once("end", onEnd).once("close", onEnd).once("error", onEnd);
      return () => {
        stream.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", onEnd);
        if (heard.length > 0 && !stream.destroyed && !stream.readableEnded) stream.unshift(heard);
      };
    },
    () =>
      new DialFailure(
        "stalled",
        heard.length === 0
          ? "accepts connections but never speaks SSH (stalled after accept)"
          : `accepts connections but does not speak SSH${quoted(heard)}`,
      ),
  );
}

/** OpenSSH says why it hangs up: `Exceeded MaxStartups`, `Not allowed at this time` (PerSourcePenalties). */
function closed(heard: Buffer): DialFailure {
  const isPenalty = heard.includes("Not allowed at this time");
  return new DialFailure(
    "closed",
    `closed the connection before its SSH banner${quoted(heard)}`,
    !isPenalty,
  );
}

function quoted(heard: Buffer): string {
  const line = clean(heard.toString("utf8")).split("\n")[0]?.trim().slice(0, 80);
  return line ? `, saying ${JSON.stringify(line)}` : "";
}
