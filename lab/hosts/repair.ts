import { LabError } from "../fleet/labError";
import { type LabHandle, restartHost, waitForLogin } from "./boot";
import { faultsOf, forgetFault, recalledFault, recordFault } from "./faultJournal";
import { type FaultName, FAULTS } from "./faults";
import { isAlive, type Machine } from "./machine";

function requireAlive(machine: Machine): void {
  if (isAlive(machine)) return;
  throw new LabError(
    "input",
    `${machine.name}: nobody is behind this address, by the lab's design`,
  );
}

/**
 * Makes a fault on a host.
 * @returns false when the host has it already
 */
export async function breakHost(
  lab: LabHandle,
  machine: Machine,
  fault: FaultName,
): Promise<boolean> {
  requireAlive(machine);
  if (faultsOf(lab, machine.name).includes(fault)) return false;
  const made = await FAULTS[fault].make(lab, machine);
  if (fault !== "daemon-killed") recordFault(lab, machine.name, fault, made);
  return true;
}

/**
 * Undoes faults of a host, and waits until it can be logged in to if it could not be.
 * @param only which one; all of them when left out
 * @returns what was undone
 */
export async function healHost(
  lab: LabHandle,
  machine: Machine,
  only?: FaultName,
): Promise<FaultName[]> {
  requireAlive(machine);
  const present = faultsOf(lab, machine.name);
  const wanted = only === undefined ? present : present.filter((fault) => fault === only);
  // A host that is off has to run before anything on it can be mended.
  const ordered = [...wanted].sort((a, b) => Number(b === "off") - Number(a === "off"));
  for (const fault of ordered) {
    await FAULTS[fault].undo(lab, machine, recalledFault(lab, machine.name, fault));
    forgetFault(lab, machine.name, fault);
  }
  const stillCut = faultsOf(lab, machine.name).some((fault) => FAULTS[fault].cutsOff);
  if (!stillCut && ordered.some((fault) => FAULTS[fault].cutsOff)) await waitForLogin(lab, machine);
  return ordered;
}

/**
 * Restarts a host from its own disk: reboots a machine, kills and starts a container. Its faults stay.
 * Returns once it can be logged in to, or once it runs if a fault cuts it off.
 */
export async function restart(lab: LabHandle, machine: Machine): Promise<void> {
  requireAlive(machine);
  const faults = faultsOf(lab, machine.name);
  if (faults.includes("off")) throw new LabError("state", `${machine.name} is off: heal it first`);
  await restartHost(lab, machine);
  for (const fault of faults.filter((name) => FAULTS[name].endsWithRestart)) {
    recordFault(lab, machine.name, fault, await FAULTS[fault].make(lab, machine));
  }
  if (!faults.some((fault) => FAULTS[fault].cutsOff)) await waitForLogin(lab, machine);
}
