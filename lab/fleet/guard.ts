import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import { type LabDirectory } from "./labDirectory";
import { LabError } from "./labError";
import { LAB_ADDRESS, LAB_NET } from "./network";
import { isRunning, type ProcessIdentity } from "./processes";
import { projectRoot } from "./projectRoot";
import { run } from "./run";
import { until } from "./until";

/** The process that ends the lab with its owner; see scripts/lab-guard.sh. */
export interface Guard {
  readonly init: ProcessIdentity;
  /** Lets the lab outlive this process. */
  keep(): void;
}

/**
 * Starts the lab's namespaces. From here on the lab dies with this process, however that ends, until keep().
 * @throws LabError "failed" when its first process is not there within 10 s
 */
export async function startGuard(directory: LabDirectory): Promise<Guard> {
  const log = directory.file("guard.log");
  const output = openSync(log, "a");
  const prefix = LAB_NET.split("/")[1];
  const script = join(projectRoot(), "scripts", "lab-guard.sh");
  const argv = [script, directory.path, directory.id, `${LAB_ADDRESS}/${prefix}`];
  const child: ChildProcess = spawn("bash", argv, {
    detached: true,
    stdio: ["pipe", output, output],
  });
  child.unref();
  const init = await until(() => directory.init(), 10_000);
  if (init === null) {
    const { stdout } = await run(["tail", "-n", "5", log]);
    child.stdin?.destroy();
    throw new LabError("failed", `lab ${directory.id}: its namespaces did not start\n${stdout}`);
  }
  (child.stdin as unknown as { unref(): void }).unref();
  return { init, keep: () => void child.stdin?.end("keep\n") };
}

/** Ends the lab's first process, and waits until all of the lab is gone, those who clean up behind it included. */
export async function endLab(directory: LabDirectory): Promise<void> {
  const init = directory.init();
  const guards = directory.guards();
  if (init !== null) process.kill(init.pid, "SIGKILL");
  const gone = (): boolean => !directory.exists() && !guards.some(isRunning);
  if (guards.length > 0 && (await until(gone, 20_000))) return;
  // They died with it or before it.
  const script = join(projectRoot(), "scripts", "lab-clean.sh");
  await run(["bash", script, directory.path, directory.id]);
  if (directory.exists()) {
    throw new LabError("failed", `lab ${directory.id}: ${directory.path} could not be removed`);
  }
}
