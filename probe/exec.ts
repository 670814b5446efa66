/** One command over one channel: text in, bounded output back. */

import { type Client, type ClientChannel } from "ssh2";
import { clean } from "../payload/untrusted";
import { type Budget } from "./budget";
import { seconds } from "./failure";
import { ERROR_BYTES, OUTPUT_BYTES, STAGE } from "./limits";

export interface RemoteCommand {
  /** For the login shell. */
  readonly command: string;
  readonly stdin: string;
}

export interface RemoteResult {
  /** null where a signal ended it, or the server did not say. */
  readonly code: number | null;
  readonly stdout: string;
  /** The last 4 KiB. */
  readonly stderr: string;
}

/** Logged in, but the command gave no usable answer. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/**
 * @param limit milliseconds, within the budget
 * @throws NoAnswer when it does not end in time, cannot be started, breaks off, or sends more than 512 KiB
 */
export function execute(
  client: Client,
  { command, stdin }: RemoteCommand,
  budget: Budget,
  limit: number = STAGE.answer,
): Promise<RemoteResult> {
  let channel: ClientChannel | undefined;
  return budget
    .phase<RemoteResult>(
      limit,
      ({ resolve, reject }) => {
        const onClose = () => reject(new NoAnswer("logged in, but the connection broke off"));
        const onError = (error: Error) => reject(new NoAnswer(brokenOff(error)));
        client.once("close", onClose).once("error", onError);
        try {
          client.exec(command, (error, opened) => {
            if (error) return reject(new NoAnswer(`logged in, but ${notStarted(error)}`));
            channel = opened;
            collect(opened, resolve, reject);
            opened.end(stdin);
          });
        } catch (error) {
          // It hung up while the command waited for its turn.
          reject(new NoAnswer(brokenOff(error as Error)));
        }
        return () => client.off("close", onClose).off("error", onError);
      },
      (given) => new NoAnswer(`logged in, but gave no answer within ${seconds(given)}`),
    )
    .finally(() => channel?.destroy());
}

function collect(
  channel: ClientChannel,
  resolve: (result: RemoteResult) => void,
  reject: (error: Error) => void,
): void {
  const stdout: Buffer[] = [];
  let bytes = 0;
  let stderr = Buffer.alloc(0);
  let code: number | null = null;
  channel.on("error", (error: Error) => reject(new NoAnswer(brokenOff(error))));
  channel.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= OUTPUT_BYTES) stdout.push(chunk);
    else reject(new NoAnswer(`logged in, but answered with more than ${OUTPUT_BYTES / 1024} KiB`));
  });
  channel.stderr.on("data", (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-ERROR_BYTES);
  });
  channel.on("exit", (status: number | null) => (code = status));
  channel.on("close", () =>
    resolve({
      code,
      stdout: Buffer.concat(stdout).toString("utf8"),
      stderr: stderr.toString("utf8"),
    }),
  );
}

function brokenOff(error: Error): string {
  return `logged in, but the connection broke off: ${clean(error.message).slice(0, 120)}`;
}

function notStarted(error: Error): string {
  return `no command could be started: ${clean(error.message).slice(0, 120)}`;
}
