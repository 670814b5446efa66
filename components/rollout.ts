/** Registers every host's resources, and restarts them in waves that keep the voters' quorum (D5). */

import * as pulumi from "@pulumi/pulumi";
import { hold, type Work } from "../converge/work";
import { orderWaves, type Restart, type Wave } from "../converge/waves";
import { isAlive, isSilent } from "../health/quorum";
import { type ActivateSpec, type PrepareSpec, type SecretsSpec } from "../payload/spec";
import { type Facts } from "../payload/facts";
import { type JoinSpec } from "../payload/tailnetJoin";
import { confirmReachable, mayCutOff } from "./disarm";
import { type Ending } from "./ending";
import { P2pHost, type Step } from "./p2pHost";
import { VoterWatch, type VoterWatchOptions } from "./voterWatch";
import { type Connection } from "../hosts/plan/types";

/** One host with everything decided about it. */
export interface Task {
  readonly name: string;
  readonly connection: Connection;
  readonly isVoter: boolean;
  readonly prepare: Step<PrepareSpec>;
  readonly secrets: Step<SecretsSpec> | undefined;
  /** undefined: no tailnet, or the host is leaving. */
  readonly join?: Step<JoinSpec> & { readonly key: pulumi.Output<string> | null };
  readonly activate: Step<ActivateSpec>;
  /**
   * Its daemon runs, and would not be understood by the others halfway: it is to require another token, or loses the
   * forwarder by which it is reached. So it changes together with all others.
   */
  readonly together?: "token" | "paths";
  /** What the probe found; undefined where nobody could look. */
  readonly facts: Facts | undefined;
  /** Texts by digest that `prepare` needs beside the agent, because its input only names them. */
  readonly contents: ReadonlyMap<string, string>;
  /** What the host has to do without, and why; the rest of it goes on. @default nothing */
  readonly waits?: string;
  /** What people should know about the host; shown under its component. */
  readonly warnings: readonly string[];
}

/** How a host's commands ended; `activate` as it was registered in the end (perhaps held). */
export interface TaskResult {
  readonly prepare: Ending;
  readonly secrets: Ending;
  readonly join: Ending;
  readonly activate: Ending;
  readonly activateWork: Work;
}

export interface RolloutOptions extends VoterWatchOptions {
  readonly maxParallel: number;
  /**
   * Voters of the file. One that the plan takes for unreachable may be alive and in contact by ways that this run
   * takes away, so it never goes down together with another. @default none but the effective ones
   */
  readonly declared?: readonly string[];
}

const NOT_RUN: Ending = { kind: "not run" };

/** @returns every task's result, also of those that were held */
export async function rollOut(
  tasks: readonly Task[],
  options: RolloutOptions,
): Promise<ReadonlyMap<string, TaskResult>> {
  const rollout = new Rollout(tasks, options);
  return rollout.run();
}

interface Registered {
  readonly task: Task;
  readonly host: P2pHost;
  /** Both have to end well before the daemon is touched. */
  readonly before: Promise<{ prepare: Ending; secrets: Ending; join: Ending }>;
}

class Rollout {
  private readonly results = new Map<string, TaskResult>();
  private readonly voters: VoterWatch;

  constructor(
    private readonly tasks: readonly Task[],
    private readonly options: RolloutOptions,
  ) {
    this.voters = new VoterWatch(
      tasks.filter((task) => task.isVoter),
      options,
    );
  }

  async run(): Promise<ReadonlyMap<string, TaskResult>> {
    // Every `prepare` before the first wait: they restart nothing, and an engine that is left without them
    // would take them for removed.
    const registered = this.tasks.map((task) => this.register(task));
    const acting = registered.filter(({ task }) => task.activate.work.kind === "needed");
    const others = registered.filter(({ task }) => task.activate.work.kind !== "needed");
    if (acting.some(({ task }) => task.together === "paths"))
      void pulumi.log.warn(
        "p2p:paths is off now: all daemons that had a forwarder restart at once, and for those seconds the voters have no quorum",
      );
    const settled = others.map((entry) => this.activate(entry, entry.task.activate.work));
    if (pulumi.runtime.isDryRun()) {
      settled.push(...acting.map((entry) => this.activate(entry, entry.task.activate.work)));
    } else {
      await this.runWaves(acting);
    }
    await Promise.all(settled);
    return this.results;
  }

  private register(task: Task): Registered {
    const host = new P2pHost(task.name, { connection: task.connection });
    for (const warning of task.warnings) void pulumi.log.warn(warning, host);
    const guarded = mayCutOff(task.prepare.spec);
    const confirm = (ending: Ending) => confirmReachable(task, ending, guarded);
    const prepare = host.prepare(task.prepare).then(confirm);
    const secrets = task.secrets
      ? host.secrets(task.secrets).then(confirm)
      : Promise.resolve(NOT_RUN);
    const join = task.join ? host.join(task.join, task.join.key) : Promise.resolve(NOT_RUN);
    const before = Promise.all([prepare, secrets, join]).then(([prepared, kept, joined]) => ({
      prepare: prepared,
      secrets: kept,
      join: joined,
    }));
    return { task, host, before };
  }

  /** Registers the host's `activate` and notes how everything ended. */
  private async activate({ task, host, before }: Registered, work: Work): Promise<Ending> {
    const activate = await host.activate({ spec: task.activate.spec, work });
    const ended = await before;
    this.results.set(task.name, { ...ended, activate, activateWork: work });
    for (const ending of [ended.prepare, ended.secrets, ended.join, activate]) {
      const failure = failureOf(ending);
      if (failure !== undefined) void pulumi.log.error(failure, host);
    }
    if (activate.kind === "verdict" && activate.verdict.outcome === "blocked")
      void pulumi.log.warn(activate.verdict.error ?? "blocked", host);
    if (work !== task.activate.work && work.kind === "waiting")
      void pulumi.log.warn(work.why, host);
    return activate;
  }

  private async runWaves(acting: readonly Registered[]): Promise<void> {
    const switching = acting.filter(({ task }) => task.together === "token");
    const leaving = acting.filter(({ task }) => task.together === "paths");
    let stopped = await this.switchToken(switching);
    await this.leavePaths(leaving);
    let remaining = acting.filter(({ task }) => task.together === undefined);
    let needsCanary = true;
    while (remaining.length > 0) {
      const [wave] = orderWaves(
        remaining.map((entry) => toRestart(entry, this.options.declared)),
        this.options.maxParallel,
        needsCanary,
      );
      if (!wave) return;
      const members = remaining.filter(({ task }) => wave.hosts.includes(task.name));
      remaining = remaining.filter((entry) => !members.includes(entry));
      const held = stopped;
      const endings = await Promise.all(members.map((entry) => this.takeTurn(entry, wave, held)));
      if (endings.some((ending) => ending === "done")) needsCanary = false;
      const failed = members.find((_, index) => endings[index] === "failed");
      if (failed && stopped === undefined) stopped = `${wave.kind} ${failed.task.name} failed`;
    }
  }

  /**
   * All at once, voters too: a daemon that requires a token refuses those without, so that waves would tear
   * the fleet in two for as long as they last. Nobody starts before everybody has the file.
   * @returns why the rest is held
   */
  private async switchToken(switching: readonly Registered[]): Promise<string | undefined> {
    if (switching.length === 0) return undefined;
    const wave: Wave = { kind: "token", hosts: switching.map(({ task }) => task.name) };
    const reasons = await Promise.all(
      switching.map(async (entry) => [entry.task.name, await this.whyHeld(entry, wave)] as const),
    );
    const bad = reasons.find(([, reason]) => reason !== undefined);
    const held = bad && `the token is not switched: ${bad[0]}: ${bad[1]}`;
    const endings = await Promise.all(switching.map((entry) => this.takeTurn(entry, wave, held)));
    const failed = switching.find((_, index) => endings[index] === "failed");
    return held ?? (failed && `token ${failed.task.name} failed`);
  }

  /**
   * All at once, voters too: the forwarders are gone, and a daemon that is still on loopback hears from nobody. One
   * that fails holds nobody up, since those that wait are no better off.
   */
  private async leavePaths(leaving: readonly Registered[]): Promise<void> {
    const wave: Wave = { kind: "paths", hosts: leaving.map(({ task }) => task.name) };
    await Promise.all(leaving.map((entry) => this.takeTurn(entry, wave, undefined)));
  }

  /** One host's turn: held, or activated and judged. */
  private async takeTurn(
    entry: Registered,
    wave: Wave,
    stopped: string | undefined,
  ): Promise<"done" | "failed" | "held"> {
    const reason = stopped ?? (await this.whyHeld(entry, wave));
    if (reason !== undefined) {
      await this.activate(entry, hold(reason));
      return "held";
    }
    const ending = await this.activate(entry, entry.task.activate.work);
    if (failureOf(ending) !== undefined) return "failed";
    if (ending.kind === "verdict" && ending.verdict.outcome === "blocked") return "held";
    // A voter that was down before took no vote away, so nobody has to wait for its return.
    // Nobody is known to have a way to one that is not effective.
    if (wave.kind !== "voter" || !entry.task.isVoter) return "done";
    if (await this.voters.isCounted(entry.task.name)) return "done";
    const seconds = this.options.voterReturnMilliseconds / 1000;
    const text = `the other voters do not count it again after ${seconds} s`;
    void pulumi.log.error(text, entry.host);
    return "failed";
  }

  private async whyHeld(entry: Registered, wave: Wave): Promise<string | undefined> {
    const { prepare, secrets } = await entry.before;
    if (failureOf(prepare) !== undefined) return "prepare failed";
    if (failureOf(secrets) !== undefined) return "its secret files could not be written";
    if (wave.kind !== "voter") return undefined;
    const refusal = await this.voters.whyRefused(entry.task.name);
    if (refusal === undefined || !this.options.allowQuorumLoss) return refusal;
    void pulumi.log.warn(`allowed by p2p:allowQuorumLoss: ${refusal}`, entry.host);
    return undefined;
  }
}

function toRestart({ task }: Registered, declared: readonly string[] = []): Restart {
  // A silent daemon is restarted like a live one, with a look at the quorum and alone.
  const isUp = isAlive(task.name, task.facts) || isSilent(task.facts);
  const isVoter = task.isVoter || declared.includes(task.name);
  return { name: task.name, isVoter, isAlive: isUp };
}

/** The error of a command that ran and did not end well; `blocked` is no failure of ours. */
export function failureOf(ending: Ending): string | undefined {
  if (ending.kind === "lost") return ending.why;
  if (ending.kind === "not run") return undefined;
  const { verdict } = ending;
  if (verdict.ok || verdict.outcome === "blocked") return undefined;
  const failed = verdict.steps.filter((step) => step.status === "failed");
  const steps = failed.map(({ name, error }) => `${name}: ${error ?? "failed"}`);
  const errors = [...(verdict.error === undefined ? steps : [verdict.error])];
  const { rollback } = verdict;
  if (rollback) {
    const back = rollback.ok
      ? "is healthy again"
      : `is not healthy either: ${rollback.error ?? ""}`;
    errors.push(`went back to release ${rollback.to}, which ${back}`);
  }
  return `${verdict.phase}: ${errors.join("; ") || verdict.outcome}`;
}
