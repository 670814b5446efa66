/** One login over SSH: TCP, banner, key exchange, login; through a jump host, twice. */

import { type Client } from "ssh2";
import { type Connection } from "../hosts/plan/types";
import { type Budget } from "./budget";
import { login } from "./login";
import { pinnedKey } from "./pins";
import { withRoute } from "./route";
import { type Switchboard } from "./switchboard";

export { makeSwitchboard, type Switchboard } from "./switchboard";

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
  const key = pinnedKey(connection);
  // A key that cannot be used is known before anybody is dialled: no bare pokes at sshd.
  const credential = await board.credentials.get(connection.keyPath);
  return withRoute(connection, board, budget, async ({ stream, line, endTurn }) => {
    const client = await board.handshakes(() =>
      login(stream, connection.user, key, credential, budget),
    );
    line.loggedIn(client);
    endTurn();
    return use(client);
  });
}
