import { createRequire } from "node:module";
import { join } from "node:path";
import { enterLab } from "./enter";
import { projectRoot } from "./projectRoot";
import { runChecked } from "./run";

const START = 'log=$1; shift; exec setsid -f "$@" >> "$log" 2>&1 < /dev/null';

/** Starts a program within a lab; it ends with the lab. What it prints goes to a file. */
export async function startInLab(
  what: string,
  init: number,
  log: string,
  argv: readonly string[],
): Promise<void> {
  await runChecked(what, enterLab(init, "inside", ["sh", "-c", START, "sh", log, ...argv]));
}

/** The command line of one of the project's own programs, bundled when it is stale. */
export function bundled(entry: string): string[] {
  const { bundle } = createRequire(join(projectRoot(), "package.json"))("./scripts/bundle.js") as {
    bundle(entry: string): string;
  };
  return [process.execPath, bundle(entry)];
}
