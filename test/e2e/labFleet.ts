/** A lab and the program on it, as the end-to-end tests use them. */

import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parseDocument } from "yaml";
import { Lab } from "../../lab/fleet/lab";
import { type LabOptions } from "../../lab/fleet/options";
import { programCommands } from "../../lab/fleet/program";
import { run, type RunResult } from "../../lab/fleet/run";

export interface Resource {
  readonly urn: string;
  readonly type: string;
  /** A component has none in the embedded engine's state. */
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
}

export interface Engine {
  readonly name: string;
  /** The command; undefined: the project's launcher with the embedded engine. */
  readonly pulumi: string | undefined;
}

/** The embedded engine, and the real CLI where one is on PATH (FLEET_REAL=0 leaves it alone). */
export function enginesHere(): Engine[] {
  const embedded = { name: "the embedded engine", pulumi: undefined };
  const found = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "pulumi"))
    .find((file) => existsSync(file));
  if (found === undefined || process.env["FLEET_REAL"] === "0") return [embedded];
  return [embedded, { name: "the real CLI", pulumi: found }];
}

/** Prints the processor time of a command and of all that it waited for. */
const MEASURED = ["bash", "-c", `TIMEFORMAT='processor %U %S'; time "$@"`, "bash"];

function processorSeconds(printed: string): number {
  const [, user, system] = /processor ([\d.]+) ([\d.]+)\n/.exec(printed) ?? [];
  if (user === undefined || system === undefined) throw new Error(`not measured: ${printed}`);
  return Number(user) + Number(system);
}

export class LabFleet {
  /** Added to the environment of every Pulumi command. */
  environment: Record<string, string> = {};
  /** Everything that Pulumi commands printed so far. */
  said = "";

  private constructor(
    readonly lab: Lab,
    private readonly engine: Engine,
  ) {}

  /** @param options another fleet than the lab's own */
  static async up(engine: Engine, options: LabOptions = {}): Promise<LabFleet> {
    const lab = await Lab.up({ id: `t${randomBytes(3).toString("hex")}`, ...options });
    return new LabFleet(lab, engine);
  }

  /** Runs a Pulumi command on the lab's stack. */
  async pulumi(...args: string[]): Promise<RunResult> {
    return this.pulumiWith({}, ...args);
  }

  /** @param around words before the command: a program that starts it */
  private async pulumiWith(
    { input = "", around = [] }: { input?: string; around?: readonly string[] },
    ...args: string[]
  ): Promise<RunResult> {
    let result: RunResult | undefined;
    if (this.engine.pulumi === undefined) delete process.env["FLEET_PULUMI"];
    else process.env["FLEET_PULUMI"] = this.engine.pulumi;
    for (const { argv, env, cwd } of programCommands(this.lab, args)) {
      const options = { env: { ...env, ...this.environment }, cwd, input };
      result = await run([...around, ...argv], options);
      this.said += result.stdout + result.stderr;
      if (result.code !== 0) return result;
    }
    return result as RunResult;
  }

  /** Sets a secret, which no command line may hold. */
  async setSecret(key: string, value: string): Promise<void> {
    const result = await this.pulumiWith({ input: value }, "config", "set", "--secret", key);
    if (result.code !== 0) throw new Error(`config set: ${result.stderr}`);
  }

  /** Changes the stack's settings file, as a person does; undefined removes a key. */
  configure(key: string, value: unknown): void {
    const file = this.lab.directory.file("project/Pulumi.lab.yaml");
    const document = parseDocument(readFileSync(file, "utf8"));
    if (value === undefined) document.deleteIn(["config", key]);
    else document.setIn(["config", key], document.createNode(value));
    writeFileSync(file, document.toString({ lineWidth: 0 }));
  }

  /** A value of the stack's settings file. */
  config<T>(key: string): T {
    const file = this.lab.directory.file("project/Pulumi.lab.yaml");
    const document = parseDocument(readFileSync(file, "utf8")).toJS() as { config: object };
    return (document.config as Record<string, T>)[key] as T;
  }

  /** What preview would change. @throws Error when it fails */
  async steps(): Promise<{ op: string; urn: string }[]> {
    const { code, stdout, stderr } = await this.pulumi("preview", "--json");
    if (code !== 0) throw new Error(`preview ended with ${code}\n${stdout}\n${stderr}`);
    const { steps } = JSON.parse(stdout) as { steps: { op: string; urn: string }[] };
    return steps
      .filter(({ op }) => op !== "same" && op !== "read")
      .map(({ op, urn }) => ({ op, urn }))
      .sort((a, b) => (a.urn < b.urn ? -1 : 1));
  }

  /** Runs `up` and tells the seconds of processor time of all that it started here. */
  async upMeasured(): Promise<{ printed: string; seconds: number }> {
    const args = ["up", "--yes", "--skip-preview", "--suppress-outputs"];
    const { stdout, stderr } = await this.pulumiWith({ around: MEASURED }, ...args);
    return { printed: stdout + stderr, seconds: processorSeconds(stderr) };
  }

  /** The same for a command of this machine in the lab's network. */
  async measured(argv: readonly string[]): Promise<number> {
    const { stderr } = await run([...MEASURED, ...this.lab.argv(argv)], { env: process.env });
    return processorSeconds(stderr);
  }

  async up(...args: string[]): Promise<RunResult> {
    return this.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", ...args);
  }

  /** @throws Error with everything that was printed, when the command fails */
  async mustUp(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.up(...args);
    if (code !== 0) throw new Error(`up ended with ${code}\n${stdout}\n${stderr}`);
    return stdout + stderr;
  }

  /** Like up, after a run that may have been killed: what its lock says to do is done. */
  async nextUp(): Promise<RunResult> {
    const result = await this.up();
    if (result.code === 0 || !/lock/.test(result.stdout + result.stderr)) return result;
    await this.pulumi("cancel", "--yes");
    return this.up();
  }

  async outputs(): Promise<Record<string, unknown>> {
    const { stdout } = await this.pulumi("stack", "output", "--json");
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  async resources(): Promise<Resource[]> {
    const { stdout } = await this.pulumi("stack", "export");
    const state = JSON.parse(stdout) as { deployment: { resources?: Resource[] } };
    // An empty list is left out, as the CLI does.
    return state.deployment.resources ?? [];
  }

  /** What a command on a host printed. @throws Error when it fails */
  async on(host: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await this.lab.ssh(host, command, { timeout: 300_000 });
    if (code !== 0) throw new Error(`${host}: ${command}: ${code} ${stderr}`);
    return stdout.trimEnd();
  }

  /** When the host's daemon started, in seconds since 1970, by its own word; null where it does not answer. */
  async startedAt(host: string): Promise<number | null> {
    const url = "http://127.0.0.1:8770/status?no_cache=true";
    // Nobody there is told at once; somebody who is slow belongs to a busy machine.
    const { code, stdout } = await this.lab.inside(host, ["curl", "-s", "-m", "60", url]);
    if (code !== 0) return null;
    const status = JSON.parse(stdout) as { stand_in_details: { started_at: number } };
    return status.stand_in_details.started_at;
  }

  async startTimes(hosts: readonly string[]): Promise<Record<string, number | null>> {
    const times = await Promise.all(hosts.map((host) => this.startedAt(host)));
    return Object.fromEntries(hosts.map((host, index) => [host, times[index] ?? null]));
  }

  /** kill -9, by its id; and of a child that has its command line still, since nobody can tell which is which. */
  async killDaemon(host: string): Promise<void> {
    const lines = await this.on(
      host,
      "cd /proc; for pid in [0-9]*; do echo $pid $(tr '\\0' ' ' 2> /dev/null < $pid/cmdline); done 2> /dev/null",
    );
    const daemon = /^(\d+) \/opt\/ringrift-p2p\/venv\/bin\/python scripts\/p2p_orchestrator\.py/;
    const pids = lines.split("\n").flatMap((line) => daemon.exec(line)?.[1] ?? []);
    if (pids.length === 0) throw new Error(`${host}: no daemon to kill`);
    await this.on(host, `kill -KILL ${pids.join(" ")} 2> /dev/null; true`);
  }

  /** Waits until a host's daemon answers with another start time than before. */
  async restarted(host: string, before: number | null, milliseconds = 300_000): Promise<boolean> {
    const end = Date.now() + milliseconds;
    while (Date.now() < end) {
      const now = await this.startedAt(host).catch(() => null);
      if (now !== null && now !== before) return true;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return false;
  }

  /** A part of the lab's inventory. */
  get(path: readonly string[]): unknown {
    return parseDocument(this.read()).getIn(path);
  }

  /** Waits until a run has the stack's lock. @returns false when none has it in time */
  async isLocked(milliseconds = 60_000): Promise<boolean> {
    const end = Date.now() + milliseconds;
    const state = join(this.lab.directory.path, "state");
    const hasLock = () =>
      readdirSync(state, { recursive: true, encoding: "utf8" }).some((file) =>
        /\blocks\/.*\.json$/.test(file),
      );
    while (!hasLock() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    return hasLock();
  }

  /** The lab's inventory. */
  read(): string {
    return readFileSync(this.lab.inventory, "utf8");
  }

  /** Lets every daemon end at SIGTERM: the real one takes from seconds to minutes, and waiting proves nothing. */
  async stopQuickly(hosts: readonly string[]): Promise<void> {
    await Promise.all(
      hosts.map((host) =>
        this.lab.inside(host, [
          "sh",
          "-c",
          "for checkout in $(find / -xdev -type d -name ai-service); do echo RINGRIFT_STANDIN_STOP_SECONDS=1 > $checkout/.env.local; done",
        ]),
      ),
    );
  }

  /** Changes the lab's inventory; undefined removes a key. */
  edit(path: readonly string[], value: unknown): void {
    const document = parseDocument(this.read());
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, value);
    writeFileSync(this.lab.inventory, document.toString({ lineWidth: 0 }));
  }
}
