/** One login over SSH: TCP, banner, key exchange, login; through a jump host, twice. */

import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Duplex } from "node:stream";
import pLimit, { type Limit } from "p-limit";
import { type Client } from "ssh2";
import { type Connection, type Jump } from "../hosts/plan/types";
import { type Budget } from "./budget";
import { Credentials } from "./credentials";
import { DialFailure, seconds, Untrusted } from "./failure";
import { gatewayOf, Gateways } from "./gateways";
import { type HostKey, parseHostKey } from "./hostKey";
import { HANDSHAKES_PER_CORE, PARALLEL, RETRY_PAUSE, STAGE } from "./limits";
import { login } from "./login";
import { awaitBanner, connect, Names } from "./tcp";

/** What all dials of one run share: bounds, and what is looked up once. */
export interface Switchboard {
  readonly credentials: Credentials;
  readonly names: Names;
  readonly gateways: Gateways;
  /** Key exchange and login, which cost CPU here. */
  readonly handshakes: Limit;
  /** Login and script as a whole. */
  readonly sessions: Limit;
}

export function makeSwitchboard(parallel = PARALLEL): Switchboard {
  return {
    credentials: new Credentials(),
    names: new Names(),
    gateways: new Gateways(),
    handshakes: pLimit(HANDSHAKES_PER_CORE * availableParallelism()),
    sessions: pLimit(parallel),
  };
}

type Endpoint = Omit<Connection, "jump">;

/** Streams and clients of one host; all end together. */
class Line {
  readonly #parts: { readonly stream: Duplex; client?: Client }[] = [];

  open(stream: Duplex): void {
    this.#parts.push({ stream });
  }

  loggedIn(client: Client): void {
    const last = this.#parts.at(-1);
    if (last) last.client = client;
  }

  /** Says goodbye where somebody is logged in, and closes everything. */
  hangUp(): void {
    for (const { stream, client } of this.#parts.reverse()) {
      client?.end();
      stream.destroy();
    }
    this.#parts.length = 0;
  }
}

interface Trusted {
  readonly host: HostKey;
  readonly jump: HostKey | undefined;
}

/**
 * The pinned keys of a connection.
 * @throws Untrusted where one is missing; then nothing may be dialled
 */
export function pinnedKeys({ hostKey, jump }: Connection): Trusted {
  if (hostKey === null) throw new Untrusted("no ssh_host_key is pinned");
  const host = parseHostKey(hostKey);
  if (!host) throw new Untrusted("ssh_host_key is no public key");
  if (!jump) return { host, jump: undefined };
  const where = jump.name ?? `${jump.user}@${jump.host}`;
  if (jump.hostKey === null) {
    throw new Untrusted(
      jump.name === null
        ? `no host key is pinned for its jump host ${where}: enter that as a host of the file, and name it in ssh_jump`
        : `no ssh_host_key is pinned for its jump host ${where}`,
    );
  }
  const key = parseHostKey(jump.hostKey);
  if (!key) throw new Untrusted(`ssh_host_key of its jump host ${where} is no public key`);
  return { host, jump: key };
}

/**
 * Logs in, hands the client to `use`, and closes everything when that is done.
 * The gateway is free again as soon as the login is through.
 *
 * @throws DialFailure, Untrusted, or what `use` throws
 */
export async function withLogin<T>(
  connection: Connection,
  board: Switchboard,
  budget: Budget,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const pinned = pinnedKeys(connection);
  // A key that cannot be used is known before anybody is dialled: no bare pokes at sshd.
  await board.credentials.get(connection.keyPath);
  if (connection.jump) await board.credentials.get(connection.jump.keyPath);
  const line = new Line();
  try {
    return await new Promise<T>((resolve, reject) => {
      void board.gateways
        .enter(gatewayOf(connection), async () => {
          const stream = await reach(
            connection,
            connection.jump ?? connection,
            board,
            line,
            budget,
          );
          // The slot outlives the gateway's turn: it is given back when the host is done.
          await new Promise<void>((turnIsOver) => {
            void board
              .sessions(async () => {
                const client = await enter(connection, pinned, stream, board, line, budget);
                turnIsOver();
                return use(client);
              })
              .then(resolve, reject)
              .finally(turnIsOver);
          });
        })
        .catch(reject);
    });
  } finally {
    line.hangUp();
  }
}

/** Connects and hears the banner; once more where sshd hung up at once. */
async function reach(
  { jump }: Connection,
  { host, port }: Endpoint | Jump,
  board: Switchboard,
  line: Line,
  budget: Budget,
): Promise<Duplex> {
  const attempt = async () => {
    const socket = await connect(host, port, board.names, budget);
    line.open(socket);
    await awaitBanner(socket, budget);
    return socket;
  };
  try {
    return await attempt().catch(async (error: unknown) => {
      if (!(error instanceof DialFailure && error.mayRetry)) throw error;
      line.hangUp();
      await sleep(RETRY_PAUSE);
      return attempt();
    });
  } catch (error) {
    throw jump && error instanceof DialFailure ? error.at(`jump host ${nameOf(jump)}`) : error;
  }
}

async function enter(
  connection: Connection,
  pinned: Trusted,
  stream: Duplex,
  board: Switchboard,
  line: Line,
  budget: Budget,
): Promise<Client> {
  const logIn = async (endpoint: Endpoint | Jump, key: HostKey, over: Duplex) => {
    const credential = await board.credentials.get(endpoint.keyPath);
    const client = await board.handshakes(() =>
      login(over, endpoint.user, key, credential, budget),
    );
    line.loggedIn(client);
    return client;
  };
  const { jump } = connection;
  if (!jump || !pinned.jump) return logIn(connection, pinned.host, stream);
  const where = `jump host ${nameOf(jump)}`;
  const through = await logIn(jump, pinned.jump, stream).catch((error: unknown) => {
    throw error instanceof DialFailure ? error.at(where) : error;
  });
  const inner = await forward(through, connection, where, budget);
  line.open(inner);
  await awaitBanner(inner, budget);
  return logIn(connection, pinned.host, inner);
}

function nameOf(jump: Jump): string {
  return jump.name ?? jump.host;
}

/** A connection that the jump host makes for us. */
function forward(
  client: Client,
  { host, port }: Endpoint,
  where: string,
  budget: Budget,
): Promise<Duplex> {
  return budget.phase<Duplex>(
    STAGE.connect,
    ({ resolve, reject }) => {
      let isOver = false;
      const onClose = () => reject(new DialFailure("closed", `${where} hung up`));
      client.once("close", onClose);
      client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
        if (isOver) channel?.destroy();
        else if (error) reject(notForwarded(error as Error & { reason?: unknown }, where));
        else {
          channel.on("error", () => undefined);
          resolve(channel);
        }
      });
      return () => {
        isOver = true;
        client.off("close", onClose);
      };
    },
    (given) => new DialFailure("timed-out", `no answer through ${where} within ${seconds(given)}`),
  );
}

function notForwarded(error: Error & { reason?: unknown }, where: string): DialFailure {
  // RFC 4254, 5.1: 1 administratively prohibited, 2 connect failed.
  if (error.reason === 1) return new DialFailure("refused", `${where} does not allow forwarding`);
  if (/timed? ?out/i.test(error.message))
    return new DialFailure("timed-out", `no answer through ${where}`);
  if (/name|resol/i.test(error.message))
    return new DialFailure("unresolved", `its name is unknown on ${where}`);
  return new DialFailure("refused", `connection refused through ${where}`);
}
