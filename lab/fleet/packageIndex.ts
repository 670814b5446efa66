import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bundled, startInLab } from "./background";
import { type LabCache } from "./cache";
import { type LabDirectory } from "./labDirectory";

/**
 * Starts the package server within a lab and returns once it listens; it ends with the lab.
 * @throws LabError "failed" when it does not listen within 120 s
 */
export async function startPackageIndex(
  directory: LabDirectory,
  init: number,
  cache: LabCache,
): Promise<void> {
  const gone = directory.file("index-gone");
  mkdirSync(gone);
  mkdirSync(directory.mirror());
  const ready = directory.file("packages.ready");
  const args = [cache.wheels, join(cache.base, "debs"), directory.mirror(), gone, ready];
  const argv = [...bundled("lab/fleet/packageServerMain.ts"), ...args];
  await startInLab("package index", init, directory.file("packages.log"), argv, ready);
}
