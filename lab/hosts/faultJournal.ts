import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LabHandle } from "./boot";
import { type FaultName, isFaultName } from "./faults";

/** The faults that last, per host, with what their undoing needs; in the lab's run directory, for all commands. */
function directory(lab: LabHandle, host: string): string {
  return join(lab.directory.file("faults"), host);
}

/** A host's lasting faults, in order of their names. */
export function faultsOf(lab: LabHandle, host: string): FaultName[] {
  const dir = directory(lab, host);
  return existsSync(dir) ? readdirSync(dir).sort().filter(isFaultName) : [];
}

export function recordFault(lab: LabHandle, host: string, fault: FaultName, made: unknown): void {
  mkdirSync(directory(lab, host), { recursive: true });
  writeFileSync(join(directory(lab, host), fault), JSON.stringify(made ?? null));
}

export function recalledFault(lab: LabHandle, host: string, fault: FaultName): unknown {
  return JSON.parse(readFileSync(join(directory(lab, host), fault), "utf8"));
}

export function forgetFault(lab: LabHandle, host: string, fault: FaultName): void {
  rmSync(join(directory(lab, host), fault), { force: true });
}
