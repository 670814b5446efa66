/** The tailnet's share of a run: looked at before anything changes, registered before the hosts, told at the end. */

import * as pulumi from "@pulumi/pulumi";
import { type FleetConfig } from "../config";
import { deviceName } from "../hosts/plan/deviceName";
import { type DeployHostPlan } from "../hosts/plan/types";
import { type Facts } from "../payload/facts";
import { type HostPart } from "../payload/spec";
import { type JoinSpec } from "../payload/tailnetJoin";
import { networkingOf, tailnetPart } from "../payload/tailnetPart";
import { type TailnetApi } from "../tailnet/api";
import { type AskedKey, askedKeys, goneWarnings, limitWarnings } from "../tailnet/classKeys";
import { type PolicyDecision } from "../tailnet/decidePolicy";
import { dnsDifferences, dnsGeneration } from "../tailnet/dns";
import { detours, exposures } from "../tailnet/exposure";
import { PolicyTextError } from "../tailnet/hujson";
import {
  clientWarnings,
  madeAtApi,
  NO_MEMORY,
  policyAhead,
  type TailnetMemory,
  whyNoKey,
} from "../tailnet/plannedKeys";
import { strangerWarnings } from "../tailnet/strangers";
import { type Survey, surveyTailnet } from "../tailnet/survey";
import { deployedHosts } from "../tailnet/tags";
import { type Task } from "./rollout";
import { settled } from "./settled";
import { type DnsWish, type JoinKey, Tailnet } from "./tailnet";
import { isJoining, waitingFor } from "./tailnetJoins";
import { tagsToGive, TailnetKeys, wantedKeys } from "./tailnetKeys";
import { policyArgs, type PolicyContext, policyDecision } from "./tailnetPolicy";
import { tailnetApi } from "./tailscaleSettings";

export interface TailnetContext extends PolicyContext {
  readonly config: FleetConfig;
  /** Time of the run; the nonce of what is made anew. */
  readonly now: string;
}

/** What is exported besides the hosts' own outputs. */
export interface TailnetOutputs {
  readonly tailnet: TailnetMemory;
  /** The newest key of each class, for start scripts. Secret. */
  readonly startKeys: pulumi.Output<Record<string, string>>;
}

/** Ends the program without a stack trace. */
export class CredentialsGoneError extends pulumi.RunError {}

export class TailnetRun {
  private tailnet: Tailnet | undefined;
  private keys: TailnetKeys | undefined;
  private dns: DnsWish | null = null;

  private constructor(
    private readonly context: TailnetContext,
    private readonly api: TailnetApi | null,
    private readonly survey: Survey,
    private readonly decision: PolicyDecision | null,
    /** Keys for start scripts that the API was asked for. */
    private readonly asked: readonly AskedKey[],
  ) {}

  /**
   * Looks at the tailnet; changes nothing.
   * @throws CredentialsGoneError when the stack has resources there and nobody could speak for them
   */
  static async begin(context: TailnetContext): Promise<TailnetRun> {
    const api = await tailnetApi();
    if (api === null) giveUp(context);
    // What nobody can speak for is not registered, whatever was there.
    const known = api === null ? { ...context, previous: NO_MEMORY } : context;
    const asked = askedKeys(known.previous.classKeys, new Date(context.now));
    const ids = asked.map(({ id }) => id);
    const survey = await surveyTailnet(api, context.settings.dns !== null, ids);
    const decision = await policyDecision(known, survey, api);
    return new TailnetRun(known, api, survey, decision, asked);
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
    const { settings, now, config } = context;
    const waiting = config.tailnetAuthKey ? tasks : tasks.map((task) => this.orWait(task));
    const sdk = await import("@pulumi/tailscale");
    this.dns = this.dnsWish();
    const tailnet = new Tailnet("tailnet", {
      sdk,
      policy: policyArgs(context, survey, decision),
      dns: this.dns,
      keySeconds: settings.keyMinutes * 60,
      nonce: now,
    });
    this.tailnet = tailnet;
    const joins = config.tailnetAuthKey ? [] : waiting.flatMap((task) => this.joinKey(task));
    const classes = wantedKeys(
      context,
      survey,
      (tags) => this.api !== null && this.whyNoKey(tags) === undefined,
    );
    this.warn(tasks, tagsToGive(joins, classes, context.previous));
    const keys = new TailnetKeys(tailnet, context.previous);
    this.keys = keys;
    const isPossible = await this.isPolicyThere();
    const areMade = await keys.register(joins, classes, isPossible);
    if (isPossible && !areMade)
      void pulumi.log.error(
        "an auth key could not be made: hosts that have to join wait for the next run, joined ones go on",
        tailnet,
      );
    return this.withKeys(waiting);
  }

  private whyNoKey(tags: readonly string[]): string | undefined {
    const { manage } = this.context.settings.policy;
    return whyNoKey(tags, this.survey, this.decision, manage);
  }

  private dnsWish(): DnsWish | null {
    const { settings, previous, now } = this.context;
    const { dns } = this.survey;
    if (settings.dns === null || dns === null || ("why" in dns && previous.dns === null))
      return null;
    const live = "value" in dns ? dns.value : null;
    const generation = dnsGeneration(settings.dns, live, previous.dns, now);
    return { settings: settings.dns, generation, isKept: live === null };
  }

  /** A host that needs a key which cannot be made waits, with the reason. */
  private orWait(task: Task): Task {
    if (!isJoining(task)) return task;
    const why = this.whyNoKey(task.join.spec.tags);
    return why === undefined ? task : waitingFor(task, why);
  }

  private joinKey(task: Task): JoinKey[] {
    if (!task.join) return [];
    const isNeeded = isJoining(task);
    const isThere = this.context.previous.joinKeys.includes(task.name);
    return isNeeded || isThere ? [{ host: task.name, tags: task.join.spec.tags, isNeeded }] : [];
  }

  /** False where it was to be written, and was not. */
  private async isPolicyThere(): Promise<boolean> {
    const policy = this.tailnet?.policy;
    if (pulumi.runtime.isDryRun() || this.decision?.kind !== "write" || !policy) return true;
    if ((await settled(policy)) !== undefined) return true;
    const text =
      "the tailnet's policy could not be written; where it is protected (412), somebody else edited it: the next run looks again. Joined hosts go on as they are";
    void pulumi.log.error(text, this.tailnet);
    return false;
  }

  /** Gives every join its key; in a run only once it is made. */
  private async withKeys(tasks: readonly Task[]): Promise<Task[]> {
    const { tailnetAuthKey } = this.context.config;
    const isPreview = pulumi.runtime.isDryRun();
    return Promise.all(
      tasks.map(async (task) => {
        if (!isJoining(task)) return task;
        if (tailnetAuthKey) return { ...task, join: { ...task.join, key: tailnetAuthKey } };
        const key = this.keys?.ofHost(task.name);
        if (key && (isPreview || (await settled(key)) !== undefined))
          return { ...task, join: { ...task.join, key } };
        return waitingFor(task, "its auth key could not be made");
      }),
    );
  }

  private warn(tasks: readonly Task[], tags: readonly string[]): void {
    const { context, decision, survey } = this;
    const { settings, plan } = context;
    const hosts = deployedHosts(plan);
    const ephemeral = Object.keys(settings.classes).filter(
      (name) => settings.classes[name]?.ephemeral,
    );
    const metered = hosts.filter((host) => ephemeral.includes(host.authKey.class)).length;
    const isOurs = settings.policy.manage && decision?.kind !== "held" && this.api !== null;
    const waits = tasks.some(isJoining) && !this.context.config.tailnetAuthKey;
    const facts = new Map(tasks.map((task) => [task.name, task.facts]));
    const userspace = this.userspaceHosts(facts);
    const ahead = policyAhead(survey, decision);
    const texts = [
      ...limitWarnings(hosts.length, ephemeral, metered),
      ...(decision?.kind === "held" ? [decision.why] : (decision?.notes ?? [])),
      ...("why" in survey.policy && (settings.policy.manage || waits) && this.api
        ? [`${survey.policy.why}; the tailnet is left as it is`]
        : []),
      ...(this.api?.isClient ? clientWarnings(tags, policyAhead(survey, decision)) : []),
      ...this.dnsWarnings(),
      ...(this.api === null ? [] : goneWarnings(survey.goneKeys, this.asked)),
      ...("value" in survey.devices ? strangerWarnings(facts, survey.devices.value) : []),
      ...told(() => (isOurs ? [] : exposures(userspace, policyAhead(survey, null)))),
      ...told(() => (ahead === null ? [] : detours(userspace, ahead))),
    ];
    for (const text of new Set(texts)) void pulumi.log.warn(text, this.tailnet);
  }

  private dnsWarnings(): string[] {
    const { settings, previous } = this.context;
    const { dns } = this.survey;
    if (settings.dns === null || dns === null || !this.api) return [];
    if ("why" in dns) return [`${dns.why}; its DNS settings are left as they are`];
    if (this.dns?.generation === (previous.dns?.generation ?? "")) return [];
    const told = dnsDifferences(settings.dns, dns.value).join("; ");
    return [`the tailnet's DNS settings were edited, and are set again: ${told}`];
  }

  private userspaceHosts(facts: ReadonlyMap<string, Facts | undefined>): DeployHostPlan[] {
    return deployedHosts(this.context.plan).filter(
      (host) => networkingOf(host, facts.get(host.name)) === "userspace",
    );
  }

  async outputs(): Promise<TailnetOutputs> {
    const { previous, settings } = this.context;
    const isPreview = pulumi.runtime.isDryRun();
    const made = (await this.keys?.made()) ?? [];
    const newest = made.filter(({ key, expires }) => key.isNewest && (isPreview || expires));
    const keys = newest.map(({ key, resource }) => [key.class, resource.key] as const);
    const memory = this.decision && "memory" in this.decision ? this.decision.memory : null;
    const { dns } = this;
    return {
      tailnet: {
        joinKeys: this.keys?.hosts() ?? [],
        classKeys: made.map(({ key, expires, id }) => ({
          class: key.class,
          generation: key.generation,
          ...{ id, expires },
        })),
        policy: memory ?? previous.policy,
        dns: dns && {
          generation: dns.generation,
          wish: dns.isKept ? (previous.dns?.wish ?? null) : settings.dns,
        },
      },
      startKeys: pulumi.secret(pulumi.all(Object.fromEntries(keys))),
    };
  }
}

/** What a policy opens, or why that cannot be told. */
function told(look: () => string[]): string[] {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof PolicyTextError)) throw error;
    return [`${error.message}; what that policy opens cannot be told`];
  }
}

/** @throws CredentialsGoneError unless a ready key says that it is meant so */
function giveUp({ previous, config }: TailnetContext): void {
  const made = madeAtApi(previous);
  if (made.length === 0) return;
  const urn = `urn:pulumi:${pulumi.getStack()}::${pulumi.getProject()}::p2p:components:Tailnet::tailnet`;
  const release = `take them out of the state: pulumi state delete --target-dependents '${urn}'`;
  const text = `tailnet: this stack has ${made.join(", ")} at the Tailscale API, and there are no credentials for it any more`;
  if (config.tailnetAuthKey) void pulumi.log.warn(`${text}; ${release}`);
  else
    throw new CredentialsGoneError(
      `${text}; nothing was changed. Set tailscale:apiKey, or tailscale:oauthClientId and tailscale:oauthClientSecret. To go on without: set p2p:tailnetAuthKey, and ${release}`,
    );
}
