import { type Progress } from "./progress";
import { type LabService } from "./services";

export interface LabOptions {
  /** 1 to 8 letters and digits. @default one per checkout of the project */
  readonly id?: string;
  /** Path of the inventory. @default lab/lab.yaml */
  readonly inventory?: string;
  /** Path of the file that says what stands behind each address. @default lab/machines.yaml */
  readonly machines?: string;
  /** Directory that becomes every host's checkout. @default lab/daemon */
  readonly daemon?: string;
  /** Size of each host's disk in MiB; it is memory while it is in use. @default 768 */
  readonly diskSize?: number;
  /** Services beside the hosts. @default none */
  readonly with?: readonly LabService[];
  readonly progress?: Progress;
  /** Ends the making of the lab; nothing is left of it then. */
  readonly signal?: AbortSignal;
}
