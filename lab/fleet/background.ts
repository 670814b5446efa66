import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { enterLab } from "./enter";
import { LabError } from "./labError";
import { projectRoot } from "./projectRoot";
import { runChecked } from "./run";
import { until } from "./until";

const START = 'log=$1; shift; exec setsid -f "$@" >> "$log" 2>&1 < /dev/null';

/**
 * Starts a program within a lab and returns once it serves; it ends with the lab.
 * @param log what it prints goes to this file
 * @param ready a file that the program makes as soon as it listens
 * @throws LabError "failed", with its log, when that file is not there within 120 s
 */
export async function startInLab(
  what: string,
  init: number,
  log: string,
  argv: readonly string[],
  ready: string,
): Promise<void> {
  await runChecked(what, enterLab(init, "inside", ["sh", "-c", START, "sh", log, ...argv]));
  if (await until(() => existsSync(ready), 120_000)) return;
  throw new LabError("failed", `${what}: did not start\n${readFileSync(log, "utf8").trim()}`);
}

/** The command line of one of the project's own programs, bundled when it is stale. */
export function bundled(entry: string): string[] {
  const { bundle } = createRequire(join(projectRoot(), "package.json"))("./scripts/bundle.js") as {
    bundle(entry: string): string;
  };
  return [process.execPath, bundle(entry)];
}
