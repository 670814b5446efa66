import { constants } from "node:os";
import { type Client, type ClientChannel } from "ssh2";
import { Capture } from "./capture";
import { dial } from "./dial";
import { commandError } from "./goText";
import { type CommandOutputs, type RemoteCommandInputs } from "./inputs";
import { previousOutput, type RunContext } from "./previous";
import { RefusedVariable, startCommand } from "./session";

/**
 * Runs one command over a connection of its own, which is closed whatever happens.
 * @param previous what the last run printed, offered to the command as variables
 */
export async function runRemote(
  command: string,
  inputs: RemoteCommandInputs,
  previous: CommandOutputs,
  { signal, log }: RunContext,
): Promise<CommandOutputs> {
  const session = await dial(inputs.connection, signal, log);
  try {
    const variables = {
      required: inputs.environment ?? {},
      optional: previousOutput(inputs, previous),
    };
    const channel = await startCommand(
      session.client,
      command,
      variables,
      (name) => log("warning", refusal(name)),
      signal,
    );
    const capture = new Capture(log, inputs.logging);
    const ending = await follow(session.client, channel, capture, inputs.stdin, signal);
    if (ending) throw commandError(ending, command, capture.output);
    return capture.outputs;
  } catch (error) {
    if (error instanceof RefusedVariable) log("error", refusal(error.variable));
    throw error;
  } finally {
    session.close();
  }
}

function refusal(name: string): string {
  return (
    `Unable to set '${name}'. This only works if your SSH server is configured to accept these variables via ` +
    "AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you could prefix the " +
    "command itself with the variables in the form 'VAR=value command'"
  );
}

/** Feeds the command and collects what it prints until it has ended. Resolves with what went wrong, if anything did. */
function follow(
  client: Client,
  channel: ClientChannel,
  capture: Capture,
  stdin: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let ending = "wait: remote command exited without exit status or exit signal";
    let lost: Error | undefined;
    let done = false;
    channel.on("data", (chunk: Buffer) => capture.writeStdout(chunk));
    channel.stderr.on("data", (chunk: Buffer) => capture.writeStderr(chunk));
    // A command that does not read its stdin to the end is not at fault.
    channel.on("error", () => undefined);
    channel.on("exit", (code: number | null, name?: string, _dumped?: unknown, reason?: string) => {
      done = true;
      ending = describeExit(code, name, reason);
    });
    const finish = () => {
      capture.end();
      client.off("close", finish).off("error", onError);
      signal.removeEventListener("abort", onAbort);
      if (done) resolve(ending || undefined);
      else resolve(lost ? `${ending} (connection lost: ${lost.message})` : ending);
    };
    const onError = (error: Error) => {
      lost = error;
      finish();
    };
    const onAbort = () => reject(signal.reason as Error);
    channel.once("close", finish);
    client.once("close", finish).once("error", onError);
    signal.addEventListener("abort", onAbort, { once: true });
    channel.end(stdin ?? "");
    if (signal.aborted) onAbort();
  });
}

/** How a command ended, in the official words; empty for success. */
function describeExit(code: number | null, signal?: string, reason?: string): string {
  if (code === 0) return "";
  if (!signal) return `Process exited with status ${code}`;
  const number = constants.signals[signal as NodeJS.Signals] ?? 0;
  const why = reason ? `. Reason was: ${reason}` : "";
  return `Process exited with status ${128 + number} from signal ${signal.replace(/^SIG/, "")}${why}`;
}
