/** A connection that a jump host makes for us. */

import { type Duplex } from "node:stream";
import { type Client } from "ssh2";
import { type Connection } from "../hosts/plan/types";
import { type Budget } from "./budget";
import { DialFailure, seconds } from "./failure";
import { STAGE } from "./limits";

/**
 * @param where names the jump host in errors
 * @throws DialFailure
 */
export function forward(
  client: Client,
  { host, port }: Connection,
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

/** OpenSSH puts the reason into words: `Connection refused`, `Connection timed out`, `Name or service not known`. */
function notForwarded(error: Error & { reason?: unknown }, where: string): DialFailure {
  // RFC 4254, 5.1: 1 is "administratively prohibited".
  if (error.reason === 1) return new DialFailure("refused", `${where} does not allow forwarding`);
  if (/timed? ?out|no route|unreachable/i.test(error.message))
    return new DialFailure("timed-out", `no answer through ${where}`);
  if (/name|resol/i.test(error.message))
    return new DialFailure("unresolved", `its name is unknown on ${where}`);
  return new DialFailure("refused", `connection refused through ${where}`);
}
