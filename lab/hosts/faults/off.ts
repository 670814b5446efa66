import { startHost, stopHost } from "../boot";
import { type Fault } from "./fault";

/** The power is off: nobody behind the address, until the host is started again from its own disk. */
export const off: Fault = {
  cutsOff: true,
  endsWithRestart: false,
  make: (lab, machine) => stopHost(lab, machine),
  undo: async (lab, machine) => void (await startHost(lab, machine)),
};
