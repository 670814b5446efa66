import { cpus } from "node:os";
import pLimit from "p-limit";
import { installHosts, type LabHandle, startHost, waitForLogin } from "../hosts/boot";
import { isAlive } from "../hosts/machine";
import { type LabKeys } from "./labFiles";
import { type Progress } from "./progress";

/** Makes and boots all hosts that are not dead, and returns once each can be logged in to. */
export async function bootAll(
  lab: LabHandle,
  keys: LabKeys,
  daemon: string,
  diskSize: number,
  progress: Progress,
): Promise<void> {
  const machines = lab.record.machines.filter(isAlive);
  const started = performance.now();
  const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);
  const operatorKey = keys.operator.public;
  await installHosts(lab, { hostKeys: keys.hosts, operatorKey, daemon, diskSize });
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
