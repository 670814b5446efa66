import { insideHost, type LabHandle, leaderOf, sshArgv } from "../hosts/boot";
import { faultsOf } from "../hosts/faultJournal";
import { type FaultName } from "../hosts/faults";
import { logsArgv } from "../hosts/logs";
import { type Machine } from "../hosts/machine";
import { recreateHost } from "../hosts/recreate";
import { breakHost, healHost, restart } from "../hosts/repair";
import { type HostStatus, hostStatus } from "../hosts/status";
import {
  type CloudflareLab,
  type CloudflareStatus,
  cloudflareStatus,
  findCloudflare,
} from "./cloudflare";
import { enterLab } from "./enter";
import { endLab, type Guard } from "./guard";
import { defaultLabId, type LabDirectory, type LabRecord, listLabs } from "./labDirectory";
import { LabError } from "./labError";
import { makeLab } from "./makeLab";
import { type LabOptions } from "./options";
import { run, type RunOptions, type RunResult } from "./run";
import { type TailnetAccess, tailnetAccess, type TailnetStatus, tailnetStatus } from "./tailnet";

/**
 * A running lab: real hosts in a network of their own.
 * @example
 *   const lab = await Lab.up({ id: "t1" });
 *   await lab.ssh("h1", "systemctl is-active ssh"); // { code: 0, stdout: "active\n", stderr: "" }
 *   await lab.break("h2", "cut");
 *   await lab.exec(["curl", "http://10.77.0.11:8770/health"]);
 *   await lab.down();
 */
export class Lab implements LabHandle {
  private constructor(
    readonly directory: LabDirectory,
    readonly record: LabRecord,
    /** Process ID of the lab's first process. */
    readonly init: number,
    private readonly guard: Guard | null,
  ) {}

  /**
   * Boots a lab and returns once every host that is not dead can be logged in to. Missing packages, the base root and
   * the wheels are made first; labs that were killed are cleaned up. The lab dies with this process, unless kept.
   * @throws LabError; nothing of the lab is left then
   */
  static async up(options: LabOptions = {}): Promise<Lab> {
    const { directory, guard } = await makeLab(options);
    const record = directory.readRecord();
    if (record === null) throw new LabError("failed", `lab ${directory.id}: was taken down`);
    return new Lab(directory, record, guard.init.pid, guard);
  }

  /**
   * A lab that is up, made by another process; null when there is none.
   * @param id @default this checkout's own
   */
  static find(id = defaultLabId()): Lab | null {
    const directory = listLabs().find((lab) => lab.id === id);
    const [init, record] = [directory?.init(), directory?.readRecord()];
    return directory && init && record ? new Lab(directory, record, init.pid, null) : null;
  }

  /**
   * Like find; without an ID, the only lab of this machine will do.
   * @throws LabError "state" when there is none
   */
  static attach(id?: string): Lab {
    const found = Lab.find(id);
    if (found) return found;
    const running = listLabs().flatMap((lab) => Lab.find(lab.id) ?? []);
    const [only, ...more] = running;
    if (id === undefined && only && more.length === 0) return only;
    const others = running.map((lab) => lab.id).join(", ") || "none";
    const wanted = id ?? defaultLabId();
    throw new LabError("state", `lab ${wanted} is not up (up: ${others}). Start it: fleet lab up`);
  }

  get id(): string {
    return this.directory.id;
  }

  /** All hosts, the dead ones included. */
  get machines(): readonly Machine[] {
    return this.record.machines;
  }

  /** Path of the inventory with this lab's keys in it. */
  get inventory(): string {
    return this.directory.inventory();
  }

  /** @throws LabError "input" on a name that is not in the inventory */
  machine(name: string): Machine {
    const found = this.machines.find((machine) => machine.name === name);
    if (found) return found;
    const names = this.machines.map((machine) => machine.name).join(", ");
    throw new LabError("input", `"${name}" is not a host of lab ${this.id}: ${names}`);
  }

  /** The lab's Cloudflare, null when it was started without. */
  cloudflare(): CloudflareLab | null {
    return findCloudflare(this.directory);
  }

  /** Lets the lab outlive this process; down() ends it. */
  keep(): void {
    this.guard?.keep();
  }

  /** Ends the lab. When this returns, no process, mount, namespace, control group or file of it is left. */
  async down(): Promise<void> {
    await endLab(this.directory);
  }

  /** The command line that logs in to a host as its inventory says. */
  sshArgv(host: string, command: readonly string[], flags: readonly string[] = []): string[] {
    return sshArgv(this, this.machine(host).name, command, flags);
  }

  /** Logs in to a host as its inventory says, and runs a command (words joined by spaces, as ssh does). */
  async ssh(
    host: string,
    command: string | readonly string[],
    options?: RunOptions,
  ): Promise<RunResult> {
    return run(this.sshArgv(host, typeof command === "string" ? [command] : command), options);
  }

  /** Runs a command on a host as root, past its network and sshd: for looking at a host that is cut off. */
  async inside(host: string, argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    return run(insideHost(this, this.machine(host).name, argv), options);
  }

  /** The command line that prints a host's newest log lines. */
  logsArgv(host: string, lines: number): string[] {
    return logsArgv(this, this.machine(host), lines);
  }

  /** The command line that runs a command in the lab's network, with the machine's own files. */
  argv(argv: readonly string[]): string[] {
    return enterLab(this.init, "network", argv);
  }

  /** Runs a command in the lab's network, with the machine's own files: the program, the engine, the probe. */
  async exec(argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    return run(this.argv(argv), options);
  }

  /**
   * Makes a fault on a host; it lasts until heal().
   * @returns false when the host has it already
   */
  async break(host: string, fault: FaultName): Promise<boolean> {
    return breakHost(this, this.machine(host), fault);
  }

  /**
   * Undoes a host's faults, or one of them, exactly; waits for the login if there was none.
   * @returns what was undone
   */
  async heal(host: string, fault?: FaultName): Promise<FaultName[]> {
    return healHost(this, this.machine(host), fault);
  }

  /** Reboots a machine, kills and starts a container. Faults stay. Returns when it can be logged in to again. */
  async restart(host: string): Promise<void> {
    return restart(this, this.machine(host));
  }

  /** How to get into the lab's tailnet as its administrator; null for a lab without one. */
  tailnet(): TailnetAccess | null {
    return tailnetAccess(this.directory);
  }

  /** What can be seen of the lab's tailnet; null for a lab without one. */
  tailnetStatus(): Promise<TailnetStatus | null> {
    return tailnetStatus(this.directory, this.init);
  }

  /** What can be seen of the lab's Cloudflare; null for a lab without one. */
  cloudflareStatus(): Promise<CloudflareStatus | null> {
    return cloudflareStatus(this.directory, this.init);
  }

  /** Another container in place of a host's: a new disk and new host keys, the volume of before. */
  async recreate(host: string): Promise<void> {
    const { init, directory, record } = this;
    return recreateHost({ init, directory, record }, this.machine(host));
  }

  /** The faults that a host has now. */
  faults(host: string): FaultName[] {
    return faultsOf(this, this.machine(host).name);
  }

  /** Whether a host runs; a dead one never does. */
  isUp(host: string): boolean {
    return leaderOf(this, this.machine(host).name) !== null;
  }

  /** What can be seen of all hosts from outside, in the inventory's order. */
  status(): Promise<HostStatus[]> {
    return Promise.all(this.machines.map((machine) => hostStatus(this, machine)));
  }
}
