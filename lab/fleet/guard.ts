import { spawn } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
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
 * @throws LabError "failed" when its first process is not there within 120 s
 */
export async function startGuard(directory: LabDirectory): Promise<Guard> {
  const log = openSync(directory.file("guard.log"), "a+");
  const prefix = LAB_NET.split("/")[1];
  const script = join(projectRoot(), "scripts", "lab-guard.sh");
  const argv = [script, directory.path, directory.id, `${LAB_ADDRESS}/${prefix}`];
  const child = spawn("bash", argv, { detached: true, stdio: ["pipe", log, log] });
  child.unref();
  const owner = child.stdin;
  if (owner === null) throw new Error("spawned without a pipe");
  try {
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const init = await until(() => directory.init() ?? (ended() ? "ended" : null), 120_000);
    if (init === null || init === "ended") {
      owner.destroy();
      const said = readAll(log);
      throw new LabError("failed", `lab ${directory.id}: its namespaces did not start\n${said}`);
    }
    (owner as unknown as { unref(): void }).unref();
    return { init, keep: () => void owner.end("keep\n") };
  } finally {
    closeSync(log);
  }
}

/** Through the descriptor: the file itself goes with the lab. */
function readAll(file: number): string {
  const buffer = Buffer.alloc(4096);
  return buffer.toString("utf8", 0, readSync(file, buffer, 0, buffer.length, 0)).trim();
}

function kill({ pid }: ProcessIdentity): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Somebody else was faster, or it ended by itself.
  }
}

/** Ends the lab's first process, and waits until all of the lab is gone, those who clean up behind it included. */
export async function endLab(directory: LabDirectory): Promise<void> {
  const init = directory.init();
  const guards = directory.guards();
  if (init !== null) kill(init);
  const gone = (): boolean => !directory.exists() && !guards.some(isRunning);
  if (guards.length > 0 && (await until(gone, 60_000))) return;
  // They died with it or before it.
  const script = join(projectRoot(), "scripts", "lab-clean.sh");
  await run(["bash", script, directory.path, directory.id]);
  if (directory.exists()) {
    throw new LabError("failed", `lab ${directory.id}: ${directory.path} could not be removed`);
  }
}
