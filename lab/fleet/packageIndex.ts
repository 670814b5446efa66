import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type LabCache } from "./cache";
import { enterLab } from "./enter";
import { type LabDirectory } from "./labDirectory";
import { projectRoot } from "./projectRoot";
import { runChecked } from "./run";

const START = 'log=$1; shift; exec setsid -f "$@" >> "$log" 2>&1 < /dev/null';

/** Starts the package server within a lab; it ends with the lab. */
export async function startPackageIndex(
  directory: LabDirectory,
  init: number,
  cache: LabCache,
): Promise<void> {
  const { bundle } = createRequire(join(projectRoot(), "package.json"))("./scripts/bundle.js") as {
    bundle(entry: string): string;
  };
  const gone = directory.file("index-gone");
  mkdirSync(gone);
  mkdirSync(directory.mirror());
  const server = [process.execPath, bundle("lab/fleet/packageServerMain.ts")];
  const args = [cache.wheels, join(cache.base, "debs"), directory.mirror(), gone];
  const argv = ["sh", "-c", START, "sh", directory.file("packages.log"), ...server, ...args];
  await runChecked("package index", enterLab(init, "inside", argv));
}
