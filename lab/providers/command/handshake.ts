import { type Duplex } from "node:stream";
import { Client } from "ssh2";
import { createLogin, type Login } from "./auth";
import { algorithmsFor, fingerprint, type HostKey, parseHostKey } from "./hostKey";
import { type Endpoint } from "./inputs";
import { watchProgress } from "./progress";

/** Milliseconds between questions whether the server is still there, and how many may stay without an answer. */
const KEEPALIVE_INTERVAL = 15_000;
const KEEPALIVE_MISSES = 4;

/** No further dial can mend this. */
export class FatalDialError extends Error {}

/**
 * Reads the keys that an endpoint is given, which must be possible before anything is dialed.
 * @throws FatalDialError for a key that cannot be read, and for an agent that is the only way in and not there
 */
export async function prepare(
  endpoint: Endpoint,
): Promise<{ readonly pinned: HostKey | undefined; readonly login: Login }> {
  try {
    return {
      pinned: endpoint.hostKey === undefined ? undefined : parseHostKey(endpoint.hostKey),
      login: await createLogin(endpoint),
    };
  } catch (error) {
    throw new FatalDialError((error as Error).message);
  }
}

/**
 * Speaks SSH over a connected stream until logged in. Ends with an error when the other side shows another key than
 * the pinned one, refuses the login, hangs up, or stays silent for longer than `patience` milliseconds.
 */
export async function handshake(
  stream: Duplex,
  endpoint: Endpoint,
  patience: number,
  signal: AbortSignal,
): Promise<Client> {
  const { pinned, login } = await prepare(endpoint);
  const client = new Client();
  let shown: Buffer | undefined;
  let phase = "its version";
  const stalled = watchProgress(stream, patience, () => phase);
  try {
    await new Promise<void>((resolve, reject) => {
      // Stays for the life of the client: an error without a listener would end the process.
      client.on("error", reject);
      client.once("ready", resolve);
      client.once("close", () => reject(new Error("EOF")));
      // A channel of a jump host may stay half open for ever, and ssh2 looks no more at a stream that has ended.
      stream.once("end", () => stream.destroy());
      client.once("handshake", () => (phase = "the login"));
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      signal.throwIfAborted();
      stalled.promise.catch(reject);
      client.connect({
        sock: stream,
        username: endpoint.user,
        authHandler: login.handler as never,
        hostVerifier: (key: Buffer) => {
          shown = key;
          return !pinned || key.equals(pinned.bytes);
        },
        algorithms: pinned && { serverHostKey: algorithmsFor(pinned) as never },
        // The deadlines are ours: they differ by phase and forgive a busy machine.
        readyTimeout: 0,
        keepaliveInterval: KEEPALIVE_INTERVAL,
        keepaliveCountMax: KEEPALIVE_MISSES,
      });
      stream.once("data", () => (phase = "the key exchange"));
      stalled.start();
    });
    return client;
  } catch (error) {
    closeClient(client, stream);
    if (signal.aborted) throw signal.reason;
    if (pinned && shown && !shown.equals(pinned.bytes)) throw keyMismatch(pinned, shown);
    throw new Error(`ssh: handshake failed: ${explain(error as Error, login.attempted)}`);
  } finally {
    stalled.stop();
  }
}

/** Ends a session politely, and the stream under it in any case. */
export function closeClient(client: Client, stream: Duplex): void {
  client.on("error", () => undefined);
  client.end();
  setTimeout(() => stream.destroy(), 1000).unref();
}

function keyMismatch(pinned: HostKey, shown: Buffer): FatalDialError {
  return new FatalDialError(
    "ssh: handshake failed: ssh: host key mismatch: " +
      `pinned ${pinned.type} ${fingerprint(pinned.bytes)}, the host shows ${fingerprint(shown)}`,
  );
}

function explain(error: Error & { level?: string }, attempted: readonly string[]): string {
  if (error.level !== "client-authentication") return error.message;
  return `ssh: unable to authenticate, attempted methods [${["none", ...attempted].join(" ")}], no supported methods remain`;
}
