import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bundled, startInLab } from "./background";
import { type LabCache } from "./cache";
import { type LabDirectory } from "./labDirectory";
import { LabError } from "./labError";
import { until } from "./until";

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
  const log = directory.file("packages.log");
  await startInLab("package index", init, log, argv);
  if (!(await until(() => existsSync(ready), 120_000)))
    throw new LabError(
      "failed",
      `package index: did not start\n${readFileSync(log, "utf8").trim()}`,
    );
}
