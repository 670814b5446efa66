import { cpus } from "node:os";
import pLimit from "p-limit";
import {
  type InstallArgs,
  installHosts,
  type LabHandle,
  startHost,
  waitForLogin,
} from "../hosts/boot";
import { isAlive } from "../hosts/machine";
import { type LabKeys } from "./labFiles";
import { type Progress } from "./progress";

export interface BootArgs extends Pick<InstallArgs, "daemon" | "diskSize" | "files"> {
  readonly keys: LabKeys;
}

/** Makes and boots all hosts that are not dead, and returns once each can be logged in to. */
export async function bootAll(lab: LabHandle, args: BootArgs, progress: Progress): Promise<void> {
  const machines = lab.record.machines.filter(isAlive);
  const started = performance.now();
  const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);
  const { keys, ...rest } = args;
  const operatorKey = keys.operator.public;
  await installHosts(lab, { hostKeys: keys.hosts, operatorKey, ...rest });
  progress.step(`hosts: ${machines.length} roots made in ${seconds()} s`);
  await Promise.all(machines.map((machine) => startHost(lab, machine)));
  // A handshake costs both ends their time, and both ends are this machine.
  const handshakes = pLimit(2 * cpus().length);
  await Promise.all(
    machines.map((machine) =>
      handshakes(async () => {
        await waitForLogin(lab, machine);
        const what = `${machine.kind}, ${machine.user}@${machine.address}`;
        progress.step(`${machine.name}: up after ${seconds()} s (${what})`);
      }),
    ),
  );
}
