import { Command } from "commander";
import { LabError } from "../../lab/fleet/labError";

/** A subcommand of `fleet lab` that works on one lab. */
export function labSubcommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--id <id>", "which lab (default: this checkout's own)");
}

/** The number that an option was given. @throws LabError "input" when it is none, or less than one */
export function positive(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new LabError("input", `${option}: expected a positive integer, got ${text}`);
  return number;
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
