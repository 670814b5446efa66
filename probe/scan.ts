/** Asks servers for their host keys by a key exchange, and for nothing else: no login is tried. */

import { type Duplex } from "node:stream";
import { Client, type ServerHostKeyAlgorithm } from "ssh2";
import { type Connection } from "../hosts/plan/types";
import { Budget } from "./budget";
import { DialFailure, seconds, Untrusted } from "./failure";
import { algorithmsOf, type HostKey, hostKeyFromWire } from "./hostKey";
import { DEADLINE, STAGE } from "./limits";
import { withRoute } from "./route";
import { makeSwitchboard, type Switchboard } from "./switchboard";
import { type UnreachableKind } from "./types";

export interface ScanTarget {
  readonly name: string;
  readonly connection: Connection;
  /** Type that is asked for first: that of a key already recorded. @default ssh-ed25519 */
  readonly prefer?: string;
}

export type ScanResult =
  | { readonly ok: true; readonly key: HostKey }
  | {
      readonly ok: false;
      /** `untrusted`: its jump host has no pinned key, so nothing was dialled. */
      readonly kind: UnreachableKind | "untrusted";
      readonly reason: string;
    };

/** Best first; the server shows its first key of these types. */
const TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
];

/**
 * Scans all hosts at once, as polite as a probe. A jump host is logged in to, and so has to be pinned.
 *
 * @returns one result for each target, in the targets' order; never rejects
 */
export async function scanHostKeys(
  targets: readonly ScanTarget[],
  options: { readonly deadline?: number; readonly onResult?: () => void } = {},
): Promise<Map<string, ScanResult>> {
  const board = makeSwitchboard();
  const results = await Promise.all(
    targets.map(async (target) => {
      const result = await scan(target, board, options.deadline ?? DEADLINE);
      options.onResult?.();
      return [target.name, result] as const;
    }),
  );
  await board.credentials.close();
  return new Map(results);
}

async function scan(
  { connection, prefer }: ScanTarget,
  board: Switchboard,
  deadline: number,
): Promise<ScanResult> {
  const budget = new Budget(deadline);
  const types = [...new Set([...(prefer ? [prefer] : []), ...TYPES])];
  try {
    const key = await withRoute(connection, board, budget, ({ stream }) =>
      board.handshakes(() => exchangeKeys(stream, types, budget)),
    );
    return { ok: true, key };
  } catch (error) {
    const reason = (error as Error).message;
    if (error instanceof Untrusted) return { ok: false, kind: "untrusted", reason };
    return { ok: false, kind: error instanceof DialFailure ? error.kind : "closed", reason };
  }
}

/** Goes as far as the server's proof that it holds the key, and ends the connection there. */
async function exchangeKeys(
  stream: Duplex,
  types: readonly string[],
  budget: Budget,
): Promise<HostKey> {
  const client = new Client();
  client.on("error", () => undefined);
  const broken = (why: string) => new DialFailure("closed", `the key exchange failed: ${why}`);
  return budget.phase<HostKey>(
    STAGE.keyExchange,
    ({ resolve, reject }) => {
      let shown: HostKey | undefined;
      const onError = (error: Error) => reject(broken(error.message.slice(0, 120)));
      const onClose = () => reject(broken("the server hung up"));
      const onHandshake = () => {
        client.end();
        if (shown) resolve(shown);
      };
      client.on("error", onError).once("close", onClose).once("handshake", onHandshake);
      client.connect({
        sock: stream,
        username: "",
        readyTimeout: 0,
        algorithms: {
          serverHostKey: types.flatMap((type) => [
            ...algorithmsOf(type),
          ]) as ServerHostKeyAlgorithm[],
        },
        hostVerifier: (bytes: Buffer) => {
          shown = hostKeyFromWire(bytes);
          return true;
        },
        authHandler: (_left, _partial, next) => next(false as never),
      });
      return () => {
        client.off("error", onError).off("close", onClose).off("handshake", onHandshake);
      };
    },
    (given) =>
      new DialFailure(
        "stalled",
        `stalled in the key exchange (no answer within ${seconds(given)})`,
      ),
  );
}
