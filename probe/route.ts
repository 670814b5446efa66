/** The way to a host's sshd: TCP and banner, through its jump host where it has one. */

import { setTimeout as sleep } from "node:timers/promises";
import { type Duplex } from "node:stream";
import { type Client } from "ssh2";
import { type Connection, type Jump } from "../hosts/plan/types";
import { type Budget } from "./budget";
import { DialFailure } from "./failure";
import { gatewayOf } from "./gateways";
import { forward } from "./jump";
import { RETRY_PAUSE } from "./limits";
import { login } from "./login";
import { pinnedJumpKey } from "./pins";
import { type Switchboard } from "./switchboard";
import { awaitBanner, connect } from "./tcp";

/** Streams and clients of one host; all end together. */
export class Line {
  readonly #parts: { readonly stream: Duplex; client?: Client }[] = [];

  open(stream: Duplex): void {
    this.#parts.push({ stream });
  }

  /** `client` talks over the stream that was opened last. */
  loggedIn(client: Client): void {
    const last = this.#parts.at(-1);
    if (last) last.client = client;
  }

  /** Says goodbye where somebody is logged in, and closes everything. */
  hangUp(): void {
    for (const { stream, client } of this.#parts.splice(0).reverse()) {
      client?.end();
      stream.destroy();
    }
  }
}

export interface Arrival {
  /** The banner has been heard and put back. */
  readonly stream: Duplex;
  readonly line: Line;
  /** Lets the next host of the same gateway be dialled. */
  readonly endTurn: () => void;
}

/**
 * Opens a way to the host's sshd, hands it to `use`, and closes everything when that is done.
 *
 * @throws DialFailure, Untrusted (the jump host), or what `use` throws
 */
export async function withRoute<T>(
  connection: Connection,
  board: Switchboard,
  budget: Budget,
  use: (arrival: Arrival) => Promise<T>,
): Promise<T> {
  const { jump } = connection;
  // What the file or the key says against it is known before anybody is dialled.
  if (jump) {
    pinnedJumpKey(jump);
    await board.credentials.get(jump.keyPath);
  }
  const line = new Line();
  const travel = async (first: Duplex, endTurn: () => void) => {
    const stream = jump ? await throughJump(connection, jump, first, board, line, budget) : first;
    return use({ stream, line, endTurn });
  };
  try {
    return await new Promise<T>((resolve, reject) => {
      void board.gateways.enter(gatewayOf(connection), () => {
        // The session lasts longer than the gateway's turn, which ends with the login.
        return new Promise<void>((endTurn) => {
          board
            .dials(() => reach(connection, board, line, budget))
            .then((first) => travel(first, endTurn))
            .then(resolve, reject)
            .finally(endTurn);
        });
      });
    });
  } finally {
    line.hangUp();
  }
}

/** Connects and hears the banner; once more where sshd hung up at once. */
async function reach(
  { jump, ...own }: Connection,
  board: Switchboard,
  line: Line,
  budget: Budget,
): Promise<Duplex> {
  const { host, port } = jump ?? own;
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
    throw jump ? placed(error, jump) : error;
  }
}

async function throughJump(
  connection: Connection,
  jump: Jump,
  first: Duplex,
  board: Switchboard,
  line: Line,
  budget: Budget,
): Promise<Duplex> {
  const credential = await board.credentials.get(jump.keyPath);
  const key = pinnedJumpKey(jump);
  const client = await board
    .handshakes(() => login(first, jump.user, key, credential, budget))
    .catch((error: unknown) => {
      throw placed(error, jump);
    });
  line.loggedIn(client);
  const inner = await forward(client, connection, nameOf(jump), budget);
  line.open(inner);
  await awaitBanner(inner, budget);
  return inner;
}

function nameOf(jump: Jump): string {
  return `jump host ${jump.name ?? jump.host}`;
}

function placed(error: unknown, jump: Jump): unknown {
  return error instanceof DialFailure ? error.at(nameOf(jump)) : error;
}
