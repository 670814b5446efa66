import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cpus } from "node:os";
import pLimit from "p-limit";
import {
  installHosts,
  insideHost,
  type LabHandle,
  leaderOf,
  sshArgv,
  startHost,
  waitForLogin,
} from "../hosts/boot";
import { isAlive, type Machine, readMachines } from "../hosts/machine";
import { fillCache } from "./cache";
import { enterLab } from "./enter";
import { endLab, type Guard, startGuard } from "./guard";
import { withLabKeys } from "./inventoryCopy";
import { type KeyPair, makeKeyPair } from "./keys";
import { defaultLabId, LabDirectory, listLabs } from "./labDirectory";
import { LabError } from "./labError";
import { prepareMachine } from "./machineCheck";
import { type Progress, silent } from "./progress";
import { projectRoot } from "./projectRoot";
import { run, runChecked, type RunOptions, type RunResult } from "./run";
import { assertSealed } from "./sealed";
import { renderKnownHosts, renderSshConfig } from "./sshConfig";

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
  readonly progress?: Progress;
}

/** A running lab: real hosts in a network of their own. It dies with the process that made it, unless kept. */
export class Lab implements LabHandle {
  private constructor(
    readonly directory: LabDirectory,
    readonly init: number,
    private readonly guard: Guard | null,
  ) {}

  /**
   * Boots a lab and returns once every host that is not dead can be logged in to. Missing packages, the base root and
   * the wheels are made first; labs that were killed are cleaned up.
   * @throws LabError; nothing of the lab is left then
   */
  static async up(options: LabOptions = {}): Promise<Lab> {
    const { progress = silent } = options;
    await prepareMachine((line) => progress.step(line));
    const cache = await fillCache((line) => progress.step(line));
    await Lab.cleanOrphans(progress);

    const source = (path: string | undefined, fallback: string): string =>
      path ?? join(projectRoot(), "lab", fallback);
    const inventory = readFileSync(source(options.inventory, "lab.yaml"), "utf8");
    const facts = readFileSync(source(options.machines, "machines.yaml"), "utf8");
    const machines = readMachines(inventory, facts);

    const directory = new LabDirectory(options.id ?? defaultLabId());
    directory.claim();
    try {
      const operator = makeKeyPair();
      const hostKeys = new Map(machines.filter(isAlive).map((m) => [m.name, makeKeyPair()]));
      writeLabFiles(directory, inventory, machines, operator, hostKeys);
      directory.writeRecord({
        id: directory.id,
        project: projectRoot(),
        createdAt: new Date().toISOString(),
        machines,
        base: cache.base,
      });
      const guard = await startGuard(directory);
      const lab = new Lab(directory, guard.init.pid, guard);
      await lab.startPackageServer(cache.wheels, join(cache.base, "debs"));
      progress.step(`hosts: making ${hostKeys.size} roots`);
      await installHosts(lab, {
        hostKeys,
        operatorKey: operator.public,
        daemon: source(options.daemon, "daemon"),
        diskSize: options.diskSize ?? 768,
      });
      await lab.bootAll(progress);
      await assertSealed(lab.init);
      return lab;
    } catch (error) {
      await endLab(directory);
      throw error;
    }
  }

  /**
   * A lab that is up, made by another process.
   * @param id which one; may be left out when only one is up, or for this checkout's own
   * @throws LabError "state" when there is none
   */
  static attach(id?: string): Lab {
    const running = listLabs().filter((lab) => lab.init() !== null);
    const wanted = id ?? defaultLabId();
    const only = id === undefined && running.length === 1 ? running[0] : undefined;
    const directory = running.find((lab) => lab.id === wanted) ?? only;
    const init = directory?.init();
    if (directory === undefined || !init || directory.readRecord() === null) {
      const others = running.map((lab) => lab.id).join(", ") || "none";
      throw new LabError(
        "state",
        `lab "${wanted}" is not up (up: ${others}); start it: fleet lab up`,
      );
    }
    return new Lab(directory, init.pid, null);
  }

  /** Removes what killed labs left behind, and only theirs. */
  static async cleanOrphans(progress: Progress = silent): Promise<void> {
    for (const directory of listLabs().filter((lab) => lab.isOrphaned())) {
      progress.step(`lab ${directory.id}: cleaning up, it was killed`);
      await endLab(directory);
    }
  }

  get id(): string {
    return this.directory.id;
  }

  get record(): NonNullable<ReturnType<LabDirectory["readRecord"]>> {
    const record = this.directory.readRecord();
    if (record === null) throw new LabError("state", `lab ${this.id} is gone`);
    return record;
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

  /** Lets the lab outlive this process; down() ends it. */
  keep(): void {
    this.guard?.keep();
  }

  /** Ends the lab. Nothing of it is left when this returns: no process, mount, namespace, control group or file. */
  async down(): Promise<void> {
    await endLab(this.directory);
  }

  /** Logs in to a host as its inventory says, and runs a command (words joined by spaces, as ssh does). */
  ssh(
    host: string,
    command: readonly string[] | string,
    options: RunOptions = {},
  ): Promise<RunResult> {
    const words = typeof command === "string" ? [command] : command;
    return run(sshArgv(this, this.machine(host).name, words), options);
  }

  /** Runs a command on a host as root, past its network and its sshd; for looking at a host that is cut off. */
  inside(host: string, argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run(insideHost(this, this.machine(host).name, argv), options);
  }

  /** The command line that runs a command in the lab's network, with the machine's own files. */
  argv(argv: readonly string[]): string[] {
    return enterLab(this.init, "network", argv);
  }

  /** Runs a command in the lab's network, with the machine's own files: the program, the engine, the probe. */
  exec(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run(this.argv(argv), options);
  }

  /** Whether a host runs; a dead one never does. */
  isUp(host: string): boolean {
    return leaderOf(this, host) !== null;
  }

  private async bootAll(progress: Progress): Promise<void> {
    const machines = this.machines.filter(isAlive);
    const started = performance.now();
    const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);
    await Promise.all(machines.map((machine) => startHost(this, machine)));
    progress.step(`hosts: ${machines.length} started in ${seconds()} s`);
    const handshakes = pLimit(2 * cpus().length);
    await Promise.all(
      machines.map((machine) =>
        handshakes(async () => {
          await waitForLogin(this, machine);
          progress.step(
            `${machine.name}: up after ${seconds()} s (${machine.kind}, ${machine.address})`,
          );
        }),
      ),
    );
  }

  private async startPackageServer(wheels: string, debs: string): Promise<void> {
    const { bundle } = createRequire(join(projectRoot(), "package.json"))(
      "./scripts/bundle.js",
    ) as {
      bundle(entry: string): string;
    };
    const gone = this.directory.file("index-gone");
    mkdirSync(gone);
    const server = bundle("lab/fleet/packageServerMain.ts");
    const log = this.directory.file("packages.log");
    const script = 'log=$1; shift; exec setsid -f "$@" >> "$log" 2>&1 < /dev/null';
    const argv = ["sh", "-c", script, "sh", log, process.execPath, server, wheels, debs, gone];
    await runChecked("package index", enterLab(this.init, "inside", argv));
  }
}

function writeLabFiles(
  directory: LabDirectory,
  inventory: string,
  machines: readonly Machine[],
  operator: KeyPair,
  hostKeys: ReadonlyMap<string, KeyPair>,
): void {
  const pins = new Map([...hostKeys].map(([name, pair]) => [name, pair.public]));
  const key = directory.operatorKey();
  writeFileSync(key, operator.private);
  chmodSync(key, 0o600);
  writeFileSync(`${key}.pub`, `${operator.public}\n`);
  writeFileSync(directory.inventory(), withLabKeys(inventory, key, pins));
  writeFileSync(directory.knownHosts(), renderKnownHosts(machines, pins));
  const config = renderSshConfig(machines, key, directory.knownHosts());
  writeFileSync(directory.sshConfig(), config);
}
