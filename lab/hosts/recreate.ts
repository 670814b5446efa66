import { readFileSync } from "node:fs";
import { join } from "node:path";
import { utils } from "ssh2";
import { enterLab } from "../fleet/enter";
import { makeKeyPair } from "../fleet/keys";
import { projectRoot } from "../fleet/projectRoot";
import { runChecked } from "../fleet/run";
import { installHosts, type LabHandle, startHost, stopHost } from "./boot";
import { hostPaths } from "./container";
import { type Machine } from "./machine";

const DISK_SIZE = 768;

/**
 * Kills a container and starts another one in its place: a disk as new, host keys of its own, and the volume of
 * before. Returns once it runs; whether anybody who pins the old key can log in is what a test wants to know.
 */
export async function recreateHost(lab: LabHandle, machine: Machine): Promise<void> {
  await stopHost(lab, machine);
  const { disk, root } = hostPaths(lab.directory.path, machine.name);
  const script = 'umount -R "$1" && umount "$2" && rmdir "$1" "$2"';
  const argv = enterLab(lab.init, "inside", ["sh", "-euc", script, "sh", root, disk]);
  await runChecked(`${machine.name}: take the disk away`, argv);
  const operator = utils.parseKey(readFileSync(lab.directory.operatorKey(), "utf8"));
  if (operator instanceof Error) throw operator;
  await installHosts(
    { ...lab, directory: lab.directory, record: { ...lab.record, machines: [machine] } },
    {
      hostKeys: new Map([[machine.name, makeKeyPair()]]),
      operatorKey: `${operator.type} ${operator.getPublicSSH().toString("base64")}`,
      daemon: join(projectRoot(), "lab", "daemon"),
      diskSize: DISK_SIZE,
      files: [],
    },
  );
  await startHost(lab, machine);
}
