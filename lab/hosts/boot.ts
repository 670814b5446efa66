import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeHostGroups } from "../fleet/cgroups";
import { enterHost, enterLab } from "../fleet/enter";
import { type KeyPair } from "../fleet/keys";
import { type LabDirectory, type LabRecord } from "../fleet/labDirectory";
import { LabError } from "../fleet/labError";
import { run, runChecked } from "../fleet/run";
import { until } from "../fleet/until";
import {
  containerName,
  hostPaths,
  linkName,
  mountScript,
  nspawnArgv,
  ownScript,
  startScript,
} from "./container";
import { type HostFile, hostFiles } from "./files";
import { findLeader, hostListens, labProc, readPid } from "./leader";
import { isAlive, type Machine } from "./machine";

/** Milliseconds that only a hang reaches, also on a machine that several labs share. */
const BUSY = 180_000;

/** A lab whose namespaces stand, seen by what works on its hosts. */
export interface LabHandle {
  readonly directory: LabDirectory;
  readonly record: LabRecord;
  /** Process ID of the lab's first process. */
  readonly init: number;
}

/** Where systemd-nspawn's process ID of a host is written. */
function pidFile(lab: LabHandle, host: string): string {
  return lab.directory.file(`host-${host}.pid`);
}

/** The first process of a host, null while it is down. */
export function leaderOf(lab: LabHandle, host: string): number | null {
  return findLeader(lab.init, pidFile(lab, host));
}

/** The bridge's end of a host's link. */
export function linkOf(lab: LabHandle, machine: Machine): string {
  return linkName(containerOf(lab, machine));
}

function containerOf(lab: LabHandle, machine: Machine): string {
  const index = lab.record.machines.findIndex(({ name }) => name === machine.name);
  return containerName(lab.record.id, machine.name, index);
}

/** A host's root directory, seen from the machine. */
export function rootFromOutside(lab: LabHandle, host: string): string {
  return `/proc/${lab.init}/root${hostPaths(lab.directory.path, host).root}`;
}

function writeHostFile(root: string, file: HostFile): void {
  const path = root + file.path;
  const isPrivate = dirname(path).endsWith("/.ssh");
  mkdirSync(dirname(path), { recursive: true, mode: isPrivate ? 0o700 : 0o755 });
  writeFileSync(path, file.content);
  chmodSync(path, file.mode ?? 0o644);
}

export interface InstallArgs {
  readonly hostKeys: ReadonlyMap<string, KeyPair>;
  readonly operatorKey: string;
  /** Directory that is copied to every host's checkout. */
  readonly daemon: string;
  /** Size of each host's disk in MiB. */
  readonly diskSize: number;
  /** Further files of every host, in the place of those that it would have. */
  readonly files: readonly HostFile[];
}

/** Makes the roots of all hosts; nothing runs yet. */
export async function installHosts(lab: LabHandle, args: InstallArgs): Promise<void> {
  const machines = lab.record.machines.filter(isAlive);
  const inside = (what: string, lines: string[]): Promise<string> =>
    runChecked(what, enterLab(lab.init, "inside", ["sh", "-eu"]), { input: lines.join("\n") });
  const paths = (machine: Machine) => hostPaths(lab.directory.path, machine.name);
  await inside(
    "mounting the hosts' roots",
    machines.map((m) => mountScript(m, paths(m), lab.record, args.diskSize, args.daemon)),
  );
  for (const machine of machines) {
    const hostKey = args.hostKeys.get(machine.name);
    if (hostKey === undefined) throw new Error(`no key for ${machine.name}`);
    const machineId = randomBytes(16).toString("hex");
    const files = hostFiles(machine, { hostKey, operatorKey: args.operatorKey, machineId });
    [...files, ...args.files].forEach((file) =>
      writeHostFile(rootFromOutside(lab, machine.name), file),
    );
  }
  await inside(
    "preparing the hosts' roots",
    machines.map((machine) => ownScript(machine, paths(machine))),
  );
}

/** Starts a host that is down, and returns once its first process is there. */
export async function startHost(lab: LabHandle, machine: Machine): Promise<number> {
  const { name } = machine;
  const groups = makeHostGroups(lab.record.id, name);
  const { root, volume } = hostPaths(lab.directory.path, name);
  const log = lab.directory.console(name);
  rmSync(pidFile(lab, name), { force: true });
  const argv = nspawnArgv(machine, containerOf(lab, machine), root, volume);
  const script = startScript(argv, groups, log, pidFile(lab, name));
  await runChecked(`${name}: start`, enterLab(lab.init, "inside", ["sh", "-c", script]));
  const leader = await until(() => leaderOf(lab, name), BUSY);
  if (leader === null) {
    const { stdout } = await run(["tail", "-n", "5", log]);
    throw new LabError("failed", `${name}: did not start\n${stdout}`);
  }
  // A container may not set its own address.
  if (machine.kind !== "systemd") await setAddress(lab, machine, leader);
  return leader;
}

async function setAddress(lab: LabHandle, machine: Machine, leader: number): Promise<void> {
  const ns = `/proc/${lab.init}/root/proc/${leader}/ns/net`;
  const script = `until ip link show dev host0 > /dev/null 2>&1; do sleep 0.02; done
ip address replace ${machine.address}/16 dev host0
ip link set host0 up`;
  await runChecked(
    `${machine.name}: address`,
    ["nsenter", `--net=${ns}`, "--", "sh", "-ec", script],
    {
      timeout: BUSY,
    },
  );
}

/** The command line that logs in to a host and runs a command there. */
export function sshArgv(
  lab: LabHandle,
  host: string,
  command: readonly string[],
  flags: readonly string[] = [],
): string[] {
  const ssh = ["ssh", "-F", lab.directory.sshConfig(), ...flags, host, ...command];
  return enterLab(lab.init, "network", ssh);
}

/**
 * Waits until a host can be logged in to.
 * @param deadline milliseconds
 * @throws LabError "failed" with the end of the host's console
 */
export async function waitForLogin(
  lab: LabHandle,
  machine: Machine,
  deadline = BUSY,
): Promise<void> {
  const { name } = machine;
  const end = performance.now() + deadline;
  // Looking from outside costs nothing; a handshake costs the machine's time, so it is tried once sshd is there.
  await until(() => {
    const leader = leaderOf(lab, name);
    if (leader === null || !hostListens(lab.init, leader, 22)) return false;
    return !existsSync(`/proc/${lab.init}/root/proc/${leader}/root/run/nologin`);
  }, deadline);
  let last = "sshd does not listen";
  const login = await until(
    async () => {
      const { code, stderr } = await run(sshArgv(lab, name, ["true"]), { timeout: 60_000 });
      last = stderr.trim();
      return code === 0;
    },
    Math.max(0, end - performance.now()),
    200,
  );
  if (login) return;
  const { stdout } = await run(["tail", "-n", "5", lab.directory.console(name)]);
  throw new LabError("failed", `${name}: no login within ${deadline / 1000} s: ${last}\n${stdout}`);
}

/**
 * The command line that runs a command on a host as root, past its network and its sshd.
 * @throws LabError "state" while the host is down
 */
export function insideHost(lab: LabHandle, host: string, argv: readonly string[]): string[] {
  const leader = leaderOf(lab, host);
  if (leader === null) throw new LabError("state", `${host} is not running`);
  return enterHost(lab.init, leader, argv);
}

/** Kills a host's first process, and with it the host; returns once all of it is gone. */
export async function stopHost(lab: LabHandle, machine: Machine): Promise<void> {
  const nspawn = readPid(pidFile(lab, machine.name));
  const leader = leaderOf(lab, machine.name);
  if (leader === null || nspawn === null) return;
  const kill = ["kill", "-KILL", String(leader)];
  await runChecked(`${machine.name}: kill`, enterLab(lab.init, "inside", kill));
  const gone = await until(() => !existsSync(`${labProc(lab.init)}/${nspawn}`), BUSY);
  if (!gone) throw new LabError("failed", `${machine.name}: does not end`);
}

/** Reboots a machine, or kills and starts a container; returns once its sshd listens again. */
export async function restartHost(lab: LabHandle, machine: Machine): Promise<void> {
  const { name } = machine;
  const before = leaderOf(lab, name);
  if (before !== null && machine.kind === "systemd") {
    await runChecked(`${name}: reboot`, insideHost(lab, name, ["systemctl", "reboot"]));
    // It stops its services first, and a slow one has its own time.
    const again = await until(() => {
      const leader = leaderOf(lab, name);
      return leader !== null && leader !== before;
    }, 2 * BUSY);
    if (!again) throw new LabError("failed", `${name}: did not come back from its reboot`);
  } else {
    await stopHost(lab, machine);
    await startHost(lab, machine);
  }
  const listens = await until(() => {
    const leader = leaderOf(lab, name);
    return leader !== null && hostListens(lab.init, leader, 22);
  }, BUSY);
  if (!listens) throw new LabError("failed", `${name}: runs again, but its sshd does not listen`);
}
