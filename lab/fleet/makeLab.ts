import { readFileSync } from "node:fs";
import { join } from "node:path";
import { whyUnreadable } from "../../hosts/unreadable";
import { type LabHandle } from "../hosts/boot";
import { readMachines } from "../hosts/machine";
import { bootAll } from "./bootAll";
import { fillCache } from "./cache";
import { startCloudflare } from "./cloudflare";
import { endLab, type Guard, startGuard } from "./guard";
import { makeKeyPair } from "./keys";
import { defaultLabId, LabDirectory, type LabRecord, listLabs } from "./labDirectory";
import { LabError } from "./labError";
import { writeLabFiles } from "./labFiles";
import { prepareMachine } from "./machineCheck";
import { type LabOptions } from "./options";
import { startPackageIndex } from "./packageIndex";
import { type Progress, silent } from "./progress";
import { projectRoot } from "./projectRoot";
import { assertSealed } from "./sealed";
import { startTailnet } from "./tailnet";
import { fillTailnetCache } from "./tailnetCache";
import { until } from "./until";

/** Removes what killed labs left behind, and only theirs. */
export async function cleanOrphans(progress: Progress): Promise<void> {
  for (const directory of listLabs().filter((lab) => lab.isOrphaned())) {
    progress.step(`lab ${directory.id}: cleaning up, it was killed`);
    await endLab(directory);
  }
}

/** A lab that was made by this process. */
export interface MadeLab {
  readonly directory: LabDirectory;
  readonly guard: Guard;
}

/**
 * Makes and boots a lab; see Lab.up.
 * @throws LabError; nothing of the lab is left then
 */
export async function makeLab(options: LabOptions): Promise<MadeLab> {
  const { progress = silent, signal } = options;
  const source = (path: string | undefined, fallback: string): string =>
    path ?? join(projectRoot(), "lab", fallback);
  const inventory = readInput(source(options.inventory, "lab.yaml"));
  const facts = readInput(source(options.machines, "machines.yaml"));
  const machines = readMachines(inventory, facts);
  const directory = new LabDirectory(options.id ?? defaultLabId());

  await prepareMachine(progress);
  const hasTailnet = options.with?.includes("tailnet") === true;
  const [cache, tailnet] = await Promise.all([
    fillCache(progress, signal),
    hasTailnet ? fillTailnetCache(progress, signal) : null,
  ]).catch((error: unknown) => {
    throw signal?.aborted === true ? interrupted() : error;
  });
  await cleanOrphans(progress);
  if (signal?.aborted === true) throw interrupted();

  directory.claim();
  const make = async (): Promise<MadeLab> => {
    const operator = makeKeyPair();
    // The dead one too: it was trusted once, and is unreachable rather than unknown.
    const hosts = new Map(machines.map(({ name }) => [name, makeKeyPair()]));
    writeLabFiles(directory, inventory, machines, { operator, hosts });
    const guard = await startGuard(directory);
    const record: LabRecord = {
      id: directory.id,
      project: projectRoot(),
      createdAt: new Date().toISOString(),
      machines,
      base: cache.base,
      modules: cache.modules,
      with: options.with ?? [],
    };
    await startPackageIndex(directory, guard.init.pid, cache);
    if (tailnet) await startTailnet(directory, guard.init.pid, tailnet);
    const files = record.with.includes("cloudflare")
      ? await startCloudflare(directory, guard.init.pid, cache.base)
      : [];
    const handle: LabHandle = { directory, record, init: guard.init.pid };
    const daemon = source(options.daemon, "daemon");
    const diskSize = options.diskSize ?? 768;
    await bootAll(handle, { keys: { operator, hosts }, daemon, diskSize, files }, progress);
    await assertSealed(guard.init.pid);
    // The record comes last: a lab that has one can be used.
    directory.writeRecord(record);
    return { directory, guard };
  };
  const making = make();
  try {
    return await (signal === undefined ? making : Promise.race([making, abortion(signal)]));
  } catch (error) {
    await endLab(directory);
    // What was under way fails now, for want of a lab; waiting for it keeps it from making something after the end.
    await Promise.race([making.catch(() => undefined), until(() => false, 3_000)]);
    if (directory.exists()) await endLab(directory);
    throw error;
  }
}

function readInput(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new LabError("input", `cannot read ${path}: ${whyUnreadable(error)}`);
  }
}

function interrupted(): LabError {
  return new LabError("interrupted", "interrupted: nothing is left of the lab");
}

function abortion(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(interrupted()), { once: true });
  });
}
