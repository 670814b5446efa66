import { Command } from "commander";
import { LabError } from "../../lab/fleet/labError";

/** A subcommand of `fleet lab` that works on one lab. */
export function labSubcommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--id <id>", "which lab (default: this checkout's own)");
}

/** Runs an action; a LabError is printed as its text, and sets the exit code that the help promises. */
export function guarded<A extends unknown[]>(
  action: (...args: A) => Promise<void>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    try {
      await action(...args);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      process.stderr.write(`${error.message}\n`);
      // What was under way when it was interrupted must not keep the process.
      if (error.kind === "interrupted") process.exit(error.exitCode);
      process.exitCode = error.exitCode;
    }
  };
}
