/** The `fleet` command. Subcommands load what they need only when they run, so that `check` starts fast. */

import { Command, CommanderError } from "commander";
import { version } from "../package.json";
import { checkCommand } from "./check";
import { labCommand } from "./lab";
import { outputsCommand } from "./outputs";
import { planCommand } from "./plan";
import { statusCommand } from "./status";
import { syncCommand } from "./sync";
import { trustCommand } from "./trust";
import { UsageError } from "./usageError";

const WRONG_USAGE = 2;

export function fleetCommand(): Command {
  const program = new Command("fleet")
    .description("Keeps a P2P compute fleet connected, running and honest about its state.")
    .version(version, "-V, --version")
    .enablePositionalOptions()
    .addCommand(checkCommand())
    .addCommand(planCommand())
    .addCommand(statusCommand())
    .addCommand(outputsCommand())
    .addCommand(trustCommand())
    .addCommand(syncCommand())
    .addCommand(labCommand());
  prepare(program);
  return program;
}

/** Settings that commander does not hand down to commands that were made elsewhere. */
function prepare(command: Command): void {
  command.exitOverride().showHelpAfterError("(--help shows the usage)");
  command.commands.forEach(prepare);
}

async function main(): Promise<void> {
  try {
    await fleetCommand().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has printed its message; help and version are no mistakes.
      process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE;
    } else if (error instanceof UsageError) {
      process.stderr.write(`fleet: ${error.message}${error.hint ? `\n  ${error.hint}` : ""}\n`);
      process.exitCode = WRONG_USAGE;
    } else throw error;
  }
}

// A reader that stops early (`fleet plan | head`) is no failure.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });

void main();
