import { enterLab } from "../../fleet/enter";
import { runChecked } from "../../fleet/run";
import { type LabHandle, linkOf } from "../boot";
import { type Machine } from "../machine";
import { type Fault } from "./fault";

async function setLink(lab: LabHandle, machine: Machine, state: "up" | "down"): Promise<void> {
  const argv = ["ip", "link", "set", linkOf(lab, machine), state];
  await runChecked(`${machine.name}: link ${state}`, enterLab(lab.init, "network", argv));
}

/** The host's cable is out. */
export const cut: Fault = {
  cutsOff: true,
  endsWithRestart: true,
  make: (lab, machine) => setLink(lab, machine, "down"),
  undo: (lab, machine) => setLink(lab, machine, "up"),
};
