/** The program: inventory, probe, rollout, outputs. Everything it decides is decided elsewhere. */

import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { type FleetConfig } from "../config";
import { uselessPatterns } from "../converge/limit";
import { decodeInventory } from "../hosts/encoding";
import { formatFinding } from "../hosts/finding";
import { type Inventory, loadInventory } from "../hosts/inventory";
import { planFirewall, unknownHosts } from "../hosts/plan/firewall";
import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { debtsOf, type Outcome } from "../health/outcome";
import { judge } from "../health/policy";
import { renderMarkdown } from "../health/markdown";
import { makeRecap } from "../health/report";
import { renderText } from "../health/text";
import { versionNotes } from "../health/versions";
import { withoutSshDetails } from "../hosts/inventoryCopy";
import { rememberLeft } from "../paths/numbers";
import { type ProbeResult } from "../probe/types";
import { planOptionsOf } from "../settings/planOptions";
import { EMPTY_PART } from "../payload/hostPart";
import { openFleetTunnels } from "./fleetTunnels";
import { openPaths } from "./fleetPaths";
import { settleToken, TOKEN_MISSING, tokenOf } from "./fleetToken";
import { lookAgain, lookAtAll } from "./look";
import { outcomesOf } from "./outcomes";
import {
  deviceAddresses,
  deviceOutput,
  type DeviceOutput,
  type FleetOutputs,
  planOutputs,
  withDevices,
} from "./outputs";
import { previousRun } from "./previousRun";
import { rollOut, type Task, type TaskResult } from "./rollout";
import { stageAll } from "./stage";
import { makeTask, makeWishes, type WishOptions } from "./tasks";
import { deleteLeftDevices } from "./tailnetDevices";
import { TailnetRun } from "./tailnetRun";
import { unseen } from "./unseen";

/** Ends the program without a stack trace, with every error of the file at once. */
export class InventoryRunError extends pulumi.RunError {}

/** @returns the stack's outputs */
export async function convergeFleet(config: FleetConfig): Promise<FleetOutputs> {
  const text = readInventoryFile(config.inventory);
  const inventory = loadInventory(text, config.inventory, planOptionsOf(config));
  const plan = requirePlan(inventory);
  reportFindings(inventory, config, plan);
  const previous = await previousRun();
  const now = new Date().toISOString();
  const tailnet =
    config.tailnet &&
    (await TailnetRun.begin({
      ...{ config, settings: config.tailnet, plan, now },
      previous: previous.tailnet,
      deviceTags: Object.fromEntries(
        Object.entries(previous.devices).map(([host, device]) => [host, device?.tags ?? []]),
      ),
    }));
  const tunnels = await openFleetTunnels(config, plan, previous.tunnels);
  const paths = await openPaths(config, plan, inventory, previous, now);
  const token = await tokenOf(config);
  const wishOptions: WishOptions = {
    staged: paths.staged,
    ...(tailnet ? { join: (host) => tailnet.join(host) } : {}),
    parts: (host, facts) => [
      tailnet?.part(host, facts) ?? EMPTY_PART,
      tunnels.partOf(host) ?? EMPTY_PART,
      ...paths.partsOf(host),
    ],
    config,
    inventory: inventoryCopy(text, config.inventoryCopy),
    token,
    requiredToken: () => (config.requireAuth ? (token?.digest ?? null) : null),
    waits: (node) => tunnels.whyWaiting(node),
    firewall: (host: DeployHostPlan) => planFirewall(host, plan, config.firewall),
  };
  const guesses = makeWishes(plan, wishOptions);
  const began = Date.now();
  const { wishes: guessed, probes } = config.probe
    ? await lookAtAll(guesses, plan, wishOptions)
    : { wishes: guesses, probes: unseen(guesses, previous) };
  const { wishes, atOnce, missing } = config.probe
    ? settleToken(guessed, probes, plan, wishOptions)
    : { wishes: guessed, atOnce: false, missing: [] };
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  if (config.probe) void pulumi.log.info(`looked at ${wishes.length} hosts in ${seconds} s`);
  const decided = wishes.map((wish) =>
    makeTask(wish, probes.get(wish.name) ?? NOT_LOOKED_AT, config, now, atOnce),
  );
  await tunnels.publish(new Map(decided.map(({ name, facts }) => [name, facts])));
  const joining = tailnet ? await tailnet.register(decided) : decided;
  const staged = pulumi.runtime.isDryRun() ? joining : await stageAll(joining);
  const tasks = new Map(staged.map((task) => [task.name, task]));
  const results = await rollOut(staged, {
    maxParallel: config.maxParallel,
    allowQuorumLoss: config.allowQuorumLoss,
    quorum: plan.voters.quorum,
    declared: plan.voters.declared,
    voterReturnMilliseconds: config.voterReturnSeconds * 1000,
    lookAt: lookAgain(wishes, config),
  });
  await deleteLeftDevices(tasks, results);
  const devices = devicesOf(tasks, results, previous.devices);
  const checkouts = new Map(staged.map(({ name, facts }) => [name, facts?.source ?? null]));
  const versions = config.source === null ? versionNotes(checkouts) : new Map<string, string>();
  const outcomes = outcomesOf(plan, tasks, results, (host) =>
    [versions.get(host), missing.includes(host) ? TOKEN_MISSING : undefined].filter(
      (note) => note !== undefined,
    ),
  );
  await tunnels.close(mayHold(plan, config, outcomes));
  const debt = debtsOf(outcomes, previous.debt, now);
  const judgement = judge(outcomes, config.policy);
  if (judgement.light === "red") {
    // Only beyond the policy: an exit code also keeps the engine from deleting what was removed.
    void pulumi.log.error(`beyond p2p:policy: ${judgement.reasons.join("; ")}`);
    if (!pulumi.runtime.isDryRun()) process.exitCode = 1;
  }
  const { voters } = plan;
  const planned = planOutputs(plan, inventory, {
    ...tunnels.urls(),
    devices: tailnet ? deviceAddresses(devices) : {},
  });
  const recap = makeRecap({ outcomes, debts: debt, previous: previous.debt, judgement, voters });
  void pulumi.log.info(renderText(recap, RECAP_WIDTH));
  const memory = tunnels.memory();
  return {
    ...planned,
    hosts: hostOutputs(plan, outcomes, tasks, tailnet ? devices : null),
    ...(tailnet
      ? { ...(await tailnet.outputs()), p2pDiscovery: withDevices(planned.p2pDiscovery, devices) }
      : {}),
    leftNumbers: rememberLeft(plan, previous, now),
    debt,
    recap,
    ...(memory ? { tunnels: memory } : {}),
    report: renderMarkdown(recap),
  };
}

/** Whether something of ours may still run on a host that is to be left: nobody has seen it clean. */
function mayHold(plan: FleetPlan, { state }: FleetConfig, outcomes: readonly Outcome[]) {
  const kinds = new Map(outcomes.map(({ host, kind }) => [host, kind]));
  return (node: string): boolean => {
    const host = plan.hosts.get(node);
    const isLeft =
      host?.action === "deploy" ? state === "absent" : host?.action === "skip" && host.leaving;
    return (
      isLeft === true && !["absent", "planned", "skipped"].includes(kinds.get(node) ?? "skipped")
    );
  };
}

/** Columns: the engine indents it, and its own width is not told to the program. */
const RECAP_WIDTH = 96;

const NOT_LOOKED_AT: ProbeResult = {
  class: "unreachable",
  kind: "timed-out",
  reason: "nobody looked",
  milliseconds: 0,
};

function readInventoryFile(path: string): string {
  try {
    return decodeInventory(readFileSync(path));
  } catch (error) {
    throw new InventoryRunError(
      `p2p:inventory: cannot read ${path}: ${(error as Error).message}; name the file with pulumi config set p2p:inventory <path>`,
    );
  }
}

function requirePlan({ plan, findings }: Inventory): FleetPlan {
  if (plan) return plan;
  const errors = findings.filter(({ severity }) => severity === "error").map(formatFinding);
  throw new InventoryRunError(errors.join("\n"));
}

/** Errors and warnings of the file as diagnostics; `fleet check` has the rest. */
function reportFindings({ findings }: Inventory, config: FleetConfig, plan: FleetPlan): void {
  for (const finding of findings) {
    const hint = finding.hint === null ? "" : ` (${finding.hint})`;
    if (finding.severity !== "info") void pulumi.log.warn(`${formatFinding(finding)}${hint}`);
  }
  const useless = uselessPatterns(config.limit, [...plan.hosts.keys()]);
  const told = useless.map((pattern) => `p2p:limit: ${JSON.stringify(pattern)} matches no host`);
  // Nothing would be done, and the run would be green.
  if (useless.length > 0 && useless.length === config.limit.length)
    throw new InventoryRunError(told.join("\n"));
  for (const line of told) void pulumi.log.warn(line);
  for (const name of unknownHosts(plan, config.firewall))
    void pulumi.log.warn(`p2p:firewall.hosts.${name}: the inventory has no such host`);
  if (!config.probe)
    void pulumi.log.warn("p2p:probe is off: nobody looked at the hosts, drift is not seen");
}

function inventoryCopy(text: string, copy: FleetConfig["inventoryCopy"]): string | null {
  if (copy === "none") return null;
  return copy === "whole" ? text : withoutSshDetails(text);
}

/** A join's own word is newer than the probe's. */
function devicesOf(
  tasks: ReadonlyMap<string, Task>,
  results: ReadonlyMap<string, TaskResult>,
  previous: Readonly<Record<string, DeviceOutput | null>>,
): Record<string, DeviceOutput | null> {
  return Object.fromEntries(
    [...tasks].map(([name, { join, facts }]) => {
      const ending = results.get(name)?.join;
      const joined = ending?.kind === "verdict" ? ending.verdict.tailnet : undefined;
      const device = deviceOutput(joined ?? facts?.tailnet, previous[name] ?? null);
      return [name, join ? device : null];
    }),
  );
}

function hostOutputs(
  plan: FleetPlan,
  outcomes: ReturnType<typeof outcomesOf>,
  tasks: ReadonlyMap<string, ReturnType<typeof makeTask>>,
  devices: Readonly<Record<string, DeviceOutput | null>> | null,
): FleetOutputs["hosts"] {
  return Object.fromEntries(
    outcomes.map(({ host, provider, kind, detail }) => {
      const planned = plan.hosts.get(host);
      const task = tasks.get(host);
      const isWell = kind === "healthy" || kind === "changed";
      const release = task?.activate.spec;
      return [
        host,
        {
          action: planned?.action ?? "refused",
          provider,
          // "changed" and "healthy" are one state, so that a second run has nothing to say.
          state: isWell ? "healthy" : kind,
          detail: isWell ? "" : detail,
          release: isWell && release?.state === "present" ? release.digest : null,
          ...(devices === null ? {} : { tailnet: devices[host] ?? null }),
        },
      ];
    }),
  );
}
