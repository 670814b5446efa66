/** The tailnet's share of a run: looked at before anything changes, registered before the hosts, told at the end. */

import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { type FleetConfig } from "../config";
import { hold } from "../converge/work";
import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { type Facts } from "../payload/facts";
import { type HostPart } from "../payload/spec";
import { deviceName, type JoinSpec, needsKey } from "../payload/tailnetJoin";
import { networkingOf, tailnetPart } from "../payload/tailnetPart";
import { type TailnetSettings } from "../settings/tailnet";
import { TailnetApi, TailnetApiError } from "../tailnet/api";
import { keyName, keysOf, limitWarnings, type WantedKey } from "../tailnet/classKeys";
import { apiAccess } from "../tailnet/credentials";
import { decidePolicy, type PolicyDecision } from "../tailnet/decidePolicy";
import { exposures } from "../tailnet/exposure";
import { PolicyTextError } from "../tailnet/hujson";
import { type PolicyPart } from "../tailnet/mergePolicy";
import { policyAhead, type TailnetMemory, whyNoKey } from "../tailnet/plannedKeys";
import { policyPart } from "../tailnet/policy";
import { deployedHosts } from "../tailnet/tags";
import { type Survey, surveyTailnet } from "../tailnet/survey";
import { type Task, type TaskResult } from "./rollout";
import { settled } from "./settled";
import { providerSettings } from "./tailscaleSettings";
import { type JoinKey, Tailnet, type TailnetArgs } from "./tailnet";

export interface TailnetContext {
  readonly config: FleetConfig;
  readonly settings: TailnetSettings;
  readonly plan: FleetPlan;
  readonly previous: TailnetMemory;
  /** Time of the run; the nonce of what is made anew. */
  readonly now: string;
}

/** What is exported besides the hosts' own outputs. */
export interface TailnetOutputs {
  readonly tailnet: TailnetMemory;
  /** The newest key of each class, for start scripts. Secret. */
  readonly startKeys: pulumi.Output<Record<string, string>>;
}

export class TailnetRun {
  private tailnet: Tailnet | undefined;
  private classKeys: readonly WantedKey[] = [];
  private joinKeys: readonly JoinKey[] = [];

  private constructor(
    private readonly context: TailnetContext,
    private readonly api: TailnetApi | null,
    private readonly survey: Survey,
    private readonly decision: PolicyDecision | null,
  ) {}

  /** Looks at the tailnet; changes nothing. */
  static async begin(context: TailnetContext): Promise<TailnetRun> {
    const access = apiAccess(await providerSettings());
    const api = access && new TailnetApi(access);
    const survey = await surveyTailnet(api);
    return new TailnetRun(context, api, survey, decide(context, survey));
  }

  /** What a host gets beside the daemon. */
  part(host: DeployHostPlan, facts: Facts | undefined): HostPart {
    const { settings, config } = this.context;
    return tailnetPart(host, facts, { ...settings, mirror: config.mirror });
  }

  join(host: DeployHostPlan): JoinSpec {
    return {
      node: host.name,
      hostname: deviceName(host.name),
      tags: host.authKey.tags,
      loginServer: this.context.settings.loginServer,
      acceptDns: false,
    };
  }

  /**
   * Registers policy and keys, and waits until they are made: a host whose key could not be made waits, and
   * nothing else has been begun by then.
   */
  async register(tasks: readonly Task[]): Promise<Task[]> {
    const { context, survey, decision } = this;
    const { previous, settings, now, config } = context;
    const isPossible = (tags: readonly string[]) =>
      whyNoKey(tags, survey, decision, settings.policy.manage) === undefined;
    const waiting = config.tailnetAuthKey ? tasks : tasks.map((task) => this.orWait(task));
    this.joinKeys = config.tailnetAuthKey ? [] : waiting.flatMap((task) => this.joinKey(task));
    const classes = Object.entries(settings.classes).map(([name, rest]) => ({
      class: name,
      tags: [`tag:${name}`],
      ...rest,
    }));
    const isKnown = (key: WantedKey) =>
      previous.classKeys.some((known) => keyName(known) === keyName(key));
    this.classKeys = keysOf(classes, previous.classKeys, new Date(now)).filter(
      (key) => isKnown(key) || (this.api !== null && isPossible(key.tags)),
    );
    const sdk = await import("@pulumi/tailscale");
    this.tailnet = new Tailnet("tailnet", {
      sdk,
      policy: this.policyArgs(),
      dns: "value" in survey.devices || previous.dns ? settings.dns : null,
      classKeys: this.classKeys,
      joinKeys: this.joinKeys,
      keySeconds: settings.keyMinutes * 60,
      nonce: now,
    });
    this.warn(tasks);
    return this.withKeys(waiting);
  }

  private policyArgs(): TailnetArgs["policy"] {
    const { decision, survey, context } = this;
    if (decision?.kind === "write") return decision;
    const live = "value" in survey.policy ? survey.policy.value : "{}";
    if (decision?.kind === "in-order") return { kind: "keep", text: live };
    // Held, or nobody could look: what stands in the state stays there.
    const stays = context.settings.policy.manage && context.previous.policy !== null;
    return stays ? { kind: "keep", text: live } : null;
  }

  /** A host that needs a key which cannot be made waits, with the reason. */
  private orWait(task: Task): Task {
    if (!isJoining(task)) return task;
    const { spec } = task.join;
    const why = whyNoKey(
      spec.tags,
      this.survey,
      this.decision,
      this.context.settings.policy.manage,
    );
    return why === undefined ? task : waitingFor(task, why);
  }

  private joinKey(task: Task): JoinKey[] {
    if (!task.join) return [];
    const isNeeded = isJoining(task);
    const isThere = this.context.previous.joinKeys.includes(task.name);
    return isNeeded || isThere ? [{ host: task.name, tags: task.join.spec.tags, isNeeded }] : [];
  }

  /** Gives every join its key; in a run only once it is made. */
  private async withKeys(tasks: readonly Task[]): Promise<Task[]> {
    const { tailnetAuthKey } = this.context.config;
    const isPreview = pulumi.runtime.isDryRun();
    const policy = this.tailnet?.policy;
    const isWritten =
      isPreview || this.decision?.kind !== "write" || (policy && (await settled(policy)));
    if (!isWritten) {
      const text =
        "the tailnet's policy could not be written; where it is protected (412), somebody else edited it: the next run looks again";
      void pulumi.log.error(text, this.tailnet);
    }
    return Promise.all(
      tasks.map(async (task) => {
        if (!isJoining(task)) return task;
        if (tailnetAuthKey) return { ...task, join: { ...task.join, key: tailnetAuthKey } };
        const key = this.tailnet?.joinKeys.get(task.name)?.key;
        if (key && (isPreview || (await settled(key)) !== undefined))
          return { ...task, join: { ...task.join, key } };
        return waitingFor(task, "its auth key could not be made");
      }),
    );
  }

  private warn(tasks: readonly Task[]): void {
    const { settings, plan } = this.context;
    const { decision, survey } = this;
    const hosts = deployedHosts(plan);
    const ephemeral = Object.keys(settings.classes).filter(
      (name) => settings.classes[name]?.ephemeral,
    );
    const metered = hosts.filter((host) => ephemeral.includes(host.authKey.class)).length;
    const isOurs = settings.policy.manage && decision?.kind !== "held" && this.api !== null;
    const waits = tasks.some(isJoining) && !this.context.config.tailnetAuthKey;
    const texts = [
      ...limitWarnings(hosts.length, ephemeral, metered),
      ...(decision?.kind === "held" ? [decision.why] : (decision?.notes ?? [])),
      ...("why" in survey.policy && (settings.policy.manage || waits) && this.api
        ? [`${survey.policy.why}; the tailnet is left as it is`]
        : []),
      ...(isOurs ? [] : exposures(this.userspaceHosts(tasks), policyAhead(survey, null))),
    ];
    for (const text of new Set(texts)) void pulumi.log.warn(text, this.tailnet);
  }

  private userspaceHosts(tasks: readonly Task[]): DeployHostPlan[] {
    const facts = new Map(tasks.map((task) => [task.name, task.facts]));
    return deployedHosts(this.context.plan).filter(
      (host) => networkingOf(host, facts.get(host.name)) === "userspace",
    );
  }

  /** Deletes the devices of hosts that have left; one that stays is told, and left to a person. */
  async afterwards(tasks: ReadonlyMap<string, Task>, results: ReadonlyMap<string, TaskResult>) {
    for (const [name, { activate }] of results) {
      const tailnet = tasks.get(name)?.facts?.tailnet;
      const hasLeft = activate.kind === "verdict" && activate.verdict.outcome === "absent";
      if (!hasLeft || !tailnet?.ours || !tailnet.joined || tailnet.nodeId === null) continue;
      const why = await this.deleteDevice(tailnet.nodeId);
      if (why !== undefined)
        void pulumi.log.warn(
          `${name}: its device ${tailnet.name ?? tailnet.nodeId} is logged out and still in the tailnet: ${why}`,
          this.tailnet,
        );
    }
  }

  private async deleteDevice(id: string): Promise<string | undefined> {
    if (this.api === null) return "there are no credentials to delete it with";
    try {
      await this.api.deleteDevice(id);
      return undefined;
    } catch (error) {
      if (error instanceof TailnetApiError) return error.message;
      throw error;
    }
  }

  async outputs(): Promise<TailnetOutputs> {
    const { previous } = this.context;
    const isPreview = pulumi.runtime.isDryRun();
    const made = await Promise.all(
      this.classKeys.map(async (key) => {
        const resource = this.tailnet?.classKeys.get(keyName(key));
        const known = previous.classKeys.find((one) => keyName(one) === keyName(key));
        const expires = isPreview || !resource ? undefined : await settled(resource.expiresAt);
        return { key, resource, expires: expires ?? known?.expires ?? null };
      }),
    );
    const newest = made.filter(({ key, expires }) => key.isNewest && (isPreview || expires));
    const keys = newest.flatMap(({ key, resource }) =>
      resource ? [[key.class, resource.key] as const] : [],
    );
    const memory = this.decision && "memory" in this.decision ? this.decision.memory : null;
    return {
      tailnet: {
        joinKeys: this.joinKeys.map(({ host }) => host).sort(),
        classKeys: made.map(({ key, expires }) => ({
          class: key.class,
          generation: key.generation,
          expires,
        })),
        policy: memory ?? previous.policy,
        dns: this.context.settings.dns !== null,
      },
      startKeys: pulumi.secret(pulumi.all(Object.fromEntries(keys))),
    };
  }
}

/** True for a host that needs an auth key now. */
function isJoining(task: Task): task is Task & { join: NonNullable<Task["join"]> } {
  const { join, facts } = task;
  return (
    join !== undefined && join.work.kind === "needed" && (!facts || needsKey(join.spec, facts))
  );
}

function waitingFor<T extends Task & { join: NonNullable<Task["join"]> }>(
  task: T,
  why: string,
): Task {
  const text = `tailnet: ${why}`;
  const work = hold(text);
  return {
    ...task,
    join: { ...task.join, work, key: null },
    warnings: [...task.warnings, text],
  };
}

function decide(context: TailnetContext, survey: Survey): PolicyDecision | null {
  const { settings, previous } = context;
  const { manage, base: path, existing } = settings.policy;
  if (!manage || "why" in survey.policy) return null;
  try {
    const base = path === null ? null : { text: readFileSync(path, "utf8"), path };
    const live = survey.policy.value;
    return decidePolicy({ live, base, part: partOf(context), existing, last: previous.policy });
  } catch (error) {
    if (error instanceof PolicyTextError || isFileError(error))
      return { kind: "held", why: `${error.message}; the tailnet's policy is left as it is` };
    throw error;
  }
}

function isFileError(error: unknown): error is Error {
  return error instanceof Error && "code" in error;
}

function partOf({ settings, plan }: TailnetContext): PolicyPart {
  return policyPart(plan, {
    ...settings.policy,
    morePorts: [],
    moreTags: Object.keys(settings.classes).map((name) => `tag:${name}`),
  });
}
