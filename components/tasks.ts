/** From plan and probe to what every host is asked for. Pure but for the clock that makes the nonce. */

import { matchesLimit } from "../converge/limit";
import { decideWork, factsOf, hold, type Work } from "../converge/work";
import { type DeployHostPlan, type FleetPlan, type HostPlan } from "../hosts/plan/types";
import {
  compareActivate,
  comparePrepare,
  compareSecrets,
  type Drift,
  factsRequest,
} from "../payload/compare";
import { FORWARDER_SERVICE } from "../paths/part";
import { sha256 } from "../payload/digest";
import { type Facts } from "../payload/facts";
import {
  renderAbsent,
  renderActivate,
  renderPrepare,
  renderSecrets,
  requiredToken,
} from "../payload/render";
import {
  type ActivateSpec,
  type FirewallSpec,
  type HostPart,
  type ManagedFile,
  type PrepareSpec,
  type SecretsSpec,
} from "../payload/spec";
import {
  compareJoin,
  isOverTailnet,
  joinHold,
  type JoinSpec,
  leavingHold,
  restartWarnings,
} from "../payload/tailnetJoin";
import { withNetworking } from "../payload/tailnetPart";
import { whyNoTool } from "../payload/toolSource";
import { type ProbeResult, type ProbeTarget } from "../probe/types";
import { type FleetConfig } from "../config";
import { type Task } from "./rollout";
import { joinWarnings, warningsOf } from "./warnings";

/** A host with its wishes, before anybody has looked at it. */
export interface Wish {
  readonly name: string;
  readonly target: ProbeTarget;
  readonly isVoter: boolean;
  readonly prepare: PrepareSpec;
  readonly activate: ActivateSpec;
  readonly secrets: SecretsSpec | undefined;
  /** undefined: no tailnet, or the host is leaving. */
  readonly join?: JoinSpec;
  /** Texts by digest that have to be staged beside the agent. */
  readonly contents: ReadonlyMap<string, string>;
  /** What it has to do without, and why. @default nothing */
  readonly waits?: string;
}

export interface WishOptions {
  readonly config: FleetConfig;
  /** Text of the inventory for the daemon's copy; null gives it none. */
  readonly inventory: string | null;
  readonly token: { readonly text: string; readonly digest: string } | null;
  /** Digest of the token that a host's daemon requires; null: none. @default none */
  readonly requiredToken?: (node: string) => string | null;
  /** Texts by digest that parts of hosts want staged. @default none */
  readonly staged?: ReadonlyMap<string, string>;
  /** What a host gets beside the daemon. @default nothing */
  readonly parts?: (host: DeployHostPlan, facts: Facts | undefined) => readonly HostPart[];
  /** What the host's device is to be. @default no tailnet */
  readonly join?: (host: DeployHostPlan) => JoinSpec;
  /** Why a host has to do without a part of it. @default nothing */
  readonly waits?: (node: string) => string | undefined;
  /** Who may reach a host's daemon. @default no rule of ours */
  readonly firewall?: (host: DeployHostPlan) => FirewallSpec | null;
}

/** Every host that is deployed or is to be left; the others are not touched. */
export function makeWishes(plan: FleetPlan, options: WishOptions): Wish[] {
  return [...plan.hosts.values()].flatMap((host) => {
    if (host.action === "deploy" && options.config.state === "present")
      return [presentWish(host, options)];
    return host.connection && (host.action === "deploy" || isTakenDown(host))
      ? [absentWish(host, host.connection)]
      : [];
  });
}

/** A retired host is only logged in to where its key is pinned: the others were never ours. */
function isTakenDown(host: HostPlan): boolean {
  return host.action !== "deploy" && host.leaving && typeof host.connection?.hostKey === "string";
}

/**
 * The wish for a host that turned out to be another than the plan's guess (a container that runs its own
 * supervisord); undefined where the guess was right.
 */
export function correctedWish(
  wish: Wish,
  host: HostPlan | undefined,
  facts: Facts | undefined,
  options: WishOptions,
): Wish | undefined {
  if (!facts || host?.action !== "deploy" || wish.activate.state !== "present") return undefined;
  const corrected = presentWish(host, options, facts);
  const wished = ({ prepare, activate, secrets }: Wish) =>
    JSON.stringify([prepare, activate, secrets]);
  return wished(corrected) === wished(wish) ? undefined : corrected;
}

function presentWish(
  planned: DeployHostPlan,
  {
    config,
    inventory,
    token,
    requiredToken: requiredOf,
    parts: partsOf,
    staged,
    join: joinOf,
    waits: whyWaiting,
    firewall,
  }: WishOptions,
  facts?: Facts,
): Wish {
  const host = joinOf ? withNetworking(planned, facts) : planned;
  const join = joinOf?.(host);
  const parts = partsOf?.(host, facts) ?? [];
  const required = requiredOf?.(host.name) ?? null;
  const render = {
    init: facts?.init ?? null,
    inventory,
    parts,
    firewall: firewall?.(host) ?? null,
    peerAddress: (node: string) => host.peerAddresses[host.peers.indexOf(node)] ?? null,
    clusterToken: required === null ? null : { digest: required, required: true },
    index: config.packageIndex,
    aptMirror: config.aptMirror,
    source: config.source,
    takeover: config.takeover,
    deadlineSeconds: config.healthSeconds,
  };
  const rendered = renderSecrets(host, token, parts);
  // There is no secrets phase then, which would take away those of an earlier run.
  const isLast = rendered.files.length === 0 && Object.keys(facts?.secrets ?? {}).length > 0;
  const prepare = { ...renderPrepare(host, render), ...(isLast ? { dropsSecrets: true } : {}) };
  const activate = renderActivate(host, render);
  const secrets = rendered.files.length === 0 ? undefined : rendered;
  const request = {
    ...factsRequest(prepare, activate, secrets ?? null),
    tailnet: join !== undefined,
  };
  const target = { name: host.name, connection: host.connection, request };
  const texts = new Map(staged ?? []);
  if (inventory !== null) texts.set(sha256(inventory), inventory);
  const contents = new Map(prepare.files.flatMap((file) => stagedContent(file, texts)));
  const waits = whyWaiting?.(host.name);
  const wishes = {
    prepare,
    activate,
    secrets,
    ...(join ? { join } : {}),
    ...(waits === undefined ? {} : { waits }),
  };
  return { name: host.name, target, isVoter: host.voter, contents, ...wishes };
}

function stagedContent(file: ManagedFile, texts: ReadonlyMap<string, string>): [string, string][] {
  const text = "staged" in file ? texts.get(file.digest) : undefined;
  return text === undefined ? [] : [[file.digest, text]];
}

function absentWish(host: HostPlan, connection: ProbeTarget["connection"]): Wish {
  const spec = renderAbsent(host.name);
  const request = { ...factsRequest(spec, spec, null), tailnet: true };
  const target = { name: host.name, connection, request };
  const isVoter = host.action === "deploy" && host.voter;
  const contents = new Map<string, string>();
  return {
    ...{ name: host.name, target, isVoter, contents },
    ...{ prepare: spec, activate: spec, secrets: undefined },
  };
}

/** Same hosts, other tokens to require: what was asked of the hosts stays as it was. */
export function withTokens(
  wishes: readonly Wish[],
  plan: FleetPlan,
  probes: ReadonlyMap<string, ProbeResult>,
  options: WishOptions,
): Wish[] {
  return wishes.map((wish) => {
    const host = plan.hosts.get(wish.name);
    if (host?.action !== "deploy" || wish.activate.state !== "present") return wish;
    return presentWish(host, options, factsOf(probes.get(wish.name)));
  });
}

/**
 * Compares wishes with what was found.
 * @param nonce differs from run to run
 * @param atOnce daemons that are to require another token change together
 */
export function makeTask(
  wish: Wish,
  probe: ProbeResult,
  { limit, takeover }: Pick<FleetConfig, "limit" | "takeover">,
  nonce: string,
  atOnce = false,
): Task {
  const isLimited = !matchesLimit(wish.name, limit);
  const facts = factsOf(probe);
  const stop = facts && whyNotHere(wish, facts);
  const decide = (compare: (facts: Facts) => readonly Drift[]): Work => {
    const work = decideWork(probe, isLimited, compare, nonce);
    return stop !== undefined && work.kind === "needed" ? hold(stop) : work;
  };
  const prepare = decide((found) => comparePrepare(wish.prepare, found));
  const activate = decide((found) => compareActivate(wish.activate, found));
  const { secrets, join } = wish;
  const joining = join && decideJoin(join, wish, decide, facts, takeover);
  return {
    name: wish.name,
    connection: wish.target.connection,
    isVoter: wish.isVoter,
    prepare: { spec: wish.prepare, work: prepare },
    secrets: secrets && {
      spec: secrets,
      work: decide((found) => compareSecrets(secrets, found, tokenOf(wish.activate))),
    },
    ...(join && joining ? { join: { spec: join, work: joining, key: null } } : {}),
    activate: { spec: wish.activate, work: isBlocked(facts, takeover) ?? activate },
    facts,
    together: togetherWith(wish, facts, atOnce),
    contents: wish.contents,
    ...(wish.waits === undefined ? {} : { waits: wish.waits }),
    warnings: [
      ...warningsOf([prepare, activate], wish, facts),
      ...(joining && facts ? joinWarnings(joining, facts) : []),
      ...(prepare.kind === "needed" && facts
        ? restartWarnings(prepare.drift, wish.target.connection, facts)
        : []),
      ...(wish.waits === undefined ? [] : [wish.waits]),
    ],
  };
}

/** Why nothing at all is begun on a host that could be worked on; undefined where it is. */
function whyNotHere({ prepare, target }: Wish, facts: Facts): string | undefined {
  return whyNoTool(prepare, facts) ?? leavingHold(prepare, target.connection, facts);
}

function tokenOf(spec: ActivateSpec): string | null {
  return spec.state === "present" ? requiredToken(spec.release) : null;
}

/** What a daemon that runs can only change together with all others; undefined: nothing. */
function togetherWith(
  { prepare, activate }: Wish,
  facts: Facts | undefined,
  atOnce: boolean,
): Task["together"] {
  if (activate.state !== "present" || prepare.state !== "present") return undefined;
  if (!facts || facts.release.current === null) return undefined;
  if (atOnce && facts.release.requires !== tokenOf(activate)) return "token";
  const keepsForwarder = prepare.services.some(({ name }) => name === FORWARDER_SERVICE);
  return facts.paths !== null && !keepsForwarder ? "paths" : undefined;
}

function decideJoin(
  spec: JoinSpec,
  { target: { connection } }: Wish,
  decide: (compare: (facts: Facts) => readonly Drift[]) => Work,
  facts: Facts | undefined,
  takeover: boolean,
): Work {
  const work = decide((found) => compareJoin(spec, found));
  if (work.kind !== "needed" || !facts) return work;
  const overTailnet = isOverTailnet(connection, facts);
  const why = joinHold(spec, facts, { overTailnet, takeover });
  return why === undefined ? work : hold(`tailnet: ${why}`);
}

/** Somebody else holds the port: running into it helps nobody, unless we may take over. */
function isBlocked(facts: Facts | undefined, takeover: boolean): Work | undefined {
  const owner = facts?.port.find((candidate) => !candidate.ours);
  if (!owner || takeover) return undefined;
  return { kind: "waiting", cause: "blocked", why: `blocked by ${owner.name}` };
}
