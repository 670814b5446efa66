import { LabError } from "../../fleet/labError";
import { cut } from "./cut";
import { daemonKilled } from "./daemonKilled";
import { daemonMissingModule } from "./daemonMissingModule";
import { diskFull } from "./diskFull";
import { type Fault } from "./fault";
import { indexDown } from "./indexDown";
import { off } from "./off";
import { portTaken } from "./portTaken";
import { slowLink } from "./slowLink";
import { stalledSshd } from "./stalledSshd";
import { type FaultName } from "./summaries";
import { unitEdited } from "./unitEdited";

export { type FaultName } from "./summaries";

export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  "daemon-killed": daemonKilled,
  "daemon-missing-module": daemonMissingModule,
  "unit-edited": unitEdited,
  cut,
  off,
  "stalled-sshd": stalledSshd,
  "disk-full": diskFull,
  "slow-link": slowLink,
  "index-down": indexDown,
  "port-taken": portTaken,
};

export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(FAULTS, name);
}

/** @throws LabError "input" on a name that is no fault */
export function requireFault(name: string): FaultName {
  if (isFaultName(name)) return name;
  const names = Object.keys(FAULTS).join(", ");
  throw new LabError("input", `"${name}" is not a fault: ${names}`);
}
