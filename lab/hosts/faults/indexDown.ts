import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LabHandle } from "../boot";
import { type Machine } from "../machine";
import { type Fault } from "./fault";

function flag(lab: LabHandle, machine: Machine): string {
  return join(lab.directory.file("index-gone"), machine.address);
}

/** The package server resets every connection of this host. */
export const indexDown: Fault = {
  cutsOff: false,
  endsWithRestart: false,
  make: async (lab, machine) => writeFileSync(flag(lab, machine), ""),
  undo: async (lab, machine) => rmSync(flag(lab, machine), { force: true }),
};
