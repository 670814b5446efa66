import { connect, type Socket } from "node:net";
import { type Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client } from "ssh2";
import { type Logger } from "../kit";
import { dialError } from "./goText";
import { closeClient, FatalDialError, handshake, prepare } from "./handshake";
import { type Connection, type Endpoint, withDefaults } from "./inputs";

/** Pauses between dials, in milliseconds: the first, the factor, the longest. As in the official plugin. */
const BACKOFF = { first: 100, factor: 1.5, longest: 5000 };

/** Silence that a server may always allow itself while logging in (name lookups, a busy machine), in milliseconds. */
const MIN_PATIENCE = 5000;
/** The same where perDialTimeout is 0, "no maximum": a dial that never ends serves nobody. */
const DEFAULT_PATIENCE = 60_000;

/** A logged-in connection. */
export interface Session {
  readonly client: Client;
  /** Closes everything that was opened for it; may be called twice. */
  close(): void;
}

/**
 * Dials a host, through its proxy if it has one, until it is logged in or too many dials have failed. A limit of n
 * forgives n failures, so that n + 1 dials are made. A wrong host key or an unreadable key ends it at once.
 */
export async function dial(
  connection: Connection,
  signal: AbortSignal,
  log: Logger,
): Promise<Session> {
  const target = withDefaults(connection);
  await prepare(target);
  if (!connection.proxy) {
    return retrying("Dial", target, signal, log, () => dialOnce(target, signal));
  }
  const proxy = withDefaults(connection.proxy);
  try {
    await prepare(proxy);
    const outer = await retrying("Dial proxy", proxy, signal, log, () => dialOnce(proxy, signal));
    try {
      const inner = await retrying("Dial from proxy", target, signal, log, () =>
        dialThrough(outer.client, target, signal),
      );
      return {
        client: inner.client,
        close() {
          inner.close();
          outer.close();
        },
      };
    } catch (error) {
      outer.close();
      throw error;
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new Error(`proxy: ${(error as Error).message}`);
  }
}

async function retrying<T>(
  what: string,
  { dialErrorLimit: limit }: Endpoint,
  signal: AbortSignal,
  log: Logger,
  attempt: () => Promise<T>,
): Promise<T> {
  let pause = BACKOFF.first;
  for (let dials = 1; ; dials++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof FatalDialError) throw error;
      if (limit >= 0 && dials > limit) {
        throw new Error(`after ${dials - 1} failed attempts: ${(error as Error).message}`);
      }
      log.status("info", `${what} ${dials}/${limit < 0 ? "inf" : limit} failed: retrying`);
    }
    await sleep(pause, undefined, { signal });
    pause = Math.min(pause * BACKOFF.factor, BACKOFF.longest);
  }
}

async function dialOnce(endpoint: Endpoint, signal: AbortSignal): Promise<Session> {
  return login(await openSocket(endpoint, signal), endpoint, signal);
}

async function dialThrough(
  proxy: Client,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<Session> {
  return login(await forward(proxy, endpoint, signal), endpoint, signal);
}

async function login(stream: Duplex, endpoint: Endpoint, signal: AbortSignal): Promise<Session> {
  try {
    const client = await handshake(stream, endpoint, patienceOf(endpoint), signal);
    return { client, close: () => closeClient(client, stream) };
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** Milliseconds of silence that end a handshake. */
function patienceOf({ perDialTimeout }: Endpoint): number {
  return perDialTimeout > 0 ? Math.max(perDialTimeout * 1000, MIN_PATIENCE) : DEFAULT_PATIENCE;
}

function openSocket(endpoint: Endpoint, signal: AbortSignal): Promise<Socket> {
  const { host, port, perDialTimeout } = endpoint;
  const address = addressOf(endpoint);
  return settle<Socket>(
    signal,
    perDialTimeout,
    `dial tcp ${address}: i/o timeout`,
    (done, fail) => {
      const socket = connect({ host, port, noDelay: true, autoSelectFamilyAttemptTimeout: 1000 });
      socket.on("error", (error) => fail(dialError(address, error)));
      socket.once("connect", () => done(socket));
      return () => socket.destroy();
    },
  );
}

function forward(proxy: Client, endpoint: Endpoint, signal: AbortSignal): Promise<Duplex> {
  const { host, port, perDialTimeout } = endpoint;
  const late = `dial tcp ${addressOf(endpoint)}: i/o timeout`;
  return settle<Duplex>(signal, perDialTimeout, late, (done, fail) => {
    let dropped = false;
    const closed = () => fail(new FatalDialError("the connection to the proxy was lost"));
    proxy.once("close", closed);
    try {
      proxy.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
        proxy.off("close", closed);
        if (error) fail(new Error(`ssh: rejected: connect failed (${error.message})`));
        else if (dropped) channel.destroy();
        else done(channel);
      });
    } catch {
      closed();
    }
    return () => {
      dropped = true;
    };
  });
}

/**
 * Runs something that opens a stream, under a signal and a deadline (seconds, 0 for none). `start` returns what takes
 * the opening back.
 */
async function settle<T>(
  signal: AbortSignal,
  timeout: number,
  late: string,
  start: (done: (result: T) => void, fail: (error: Error) => void) => () => void,
): Promise<T> {
  signal.throwIfAborted();
  let undo: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  let onAbort: () => void = () => undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      undo = start(resolve, reject);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      // After the timer one more look at the network: this process itself may have been kept waiting.
      const onTime = () => setImmediate(() => reject(new Error(late)));
      if (timeout > 0) timer = setTimeout(onTime, timeout * 1000);
    });
  } catch (error) {
    undo();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function addressOf({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
