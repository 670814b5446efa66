/** `fleet status`: looks at every deployed host now, and says where each stands. Changes nothing. */

import { Command } from "commander";
import { type Inventory, loadInventory } from "../hosts/inventory";
import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { type Bound, boundOf } from "../health/exposure";
import { describePaths, lastOf, pathsOf, type PathsStatus } from "../health/paths";
import { isAlive } from "../health/quorum";
import { type NodeStatus, stateOf } from "../health/state";
import { type ProbeResult } from "../probe/types";
import { notes } from "./helpText";
import { DEFAULT_INVENTORY, readInventory, tellErrors } from "./inventoryFile";
import { looking } from "./looking";
import { planOptions, stackOption } from "./stackSettings";
import { foldColumns, renderTable } from "./table";
import { colour, printJson, tableWidth } from "./terminal";
import { UsageError } from "./usageError";

interface StatusOptions {
  readonly json?: boolean;
  readonly controller?: string;
  readonly stack?: string;
  readonly parallel: string;
}

interface HostStatus extends NodeStatus {
  readonly host: string;
  readonly provider: string;
  readonly voter: boolean;
  /** What is really bound and filtered there; null where nobody could look. */
  readonly listens: Bound | null;
  /** How it reaches the voters and relays; null where nodes have no path forwarders. */
  readonly paths: PathsStatus | null;
}

export interface FleetStatus {
  readonly hosts: readonly HostStatus[];
  readonly voters: {
    readonly declared: number;
    readonly alive: number;
    readonly quorum: number;
    readonly margin: number;
  };
}

export function statusCommand(): Command {
  return new Command("status")
    .description("Look at every deployed host now: HEALTHY, NOT STARTED, CRASHED and why.")
    .argument("[file]", "inventory; - reads standard input", DEFAULT_INVENTORY)
    .option("--json", "print JSON (docs/json.md)")
    .option("--controller <host>", "the host on which this runs")
    .addOption(stackOption())
    .option("--parallel <n>", "scripts at the same time", "64")
    .addHelpText(
      "after",
      notes(
        "Exit codes: 0 every node is HEALTHY, 1 some are not, 2 wrong usage, 3 the voters have no quorum.",
      ),
    )
    .action(async (file: string, options: StatusOptions) => {
      const inventory = loadInventory(readInventory(file), file, planOptions(options));
      if (!inventory.plan) throw new UsageError(`${file} cannot be used`, `fleet check ${file}`);
      const parallel = Number(options.parallel);
      if (!Number.isInteger(parallel) || parallel < 1)
        throw new UsageError(`--parallel: expected a positive integer, got ${options.parallel}`);
      const status = await lookAtFleet(inventory, parallel);
      if (options.json) printJson(status);
      else process.stdout.write(renderStatus(status, tableWidth()));
      tellErrors(inventory.findings, file);
      process.exitCode = exitCodeOf(status);
    });
}

function exitCodeOf({ hosts, voters }: FleetStatus): number {
  if (voters.alive < voters.quorum) return 3;
  return hosts.every(({ state }) => state === "HEALTHY") ? 0 : 1;
}

/** Probes every deployed host; progress goes to standard error. */
async function lookAtFleet({ plan }: Inventory, parallel: number): Promise<FleetStatus> {
  const deployed = [...(plan as FleetPlan).hosts.values()].filter(
    (host): host is DeployHostPlan => host.action === "deploy",
  );
  // ssh2 and the host agent are loaded only here: `fleet check` starts faster without them.
  const { probeFleet } = await import("../probe/probe");
  const { requestOf } = await import("./statusRequest");
  const progress = looking(deployed.length);
  const probes = await probeFleet(
    deployed.map((host) => ({
      name: host.name,
      connection: host.connection,
      request: requestOf(host),
    })),
    { parallel, onResult: progress.one },
  );
  progress.end();
  return judgeFleet(deployed, probes, plan as FleetPlan);
}

export function judgeFleet(
  deployed: readonly DeployHostPlan[],
  probes: ReadonlyMap<string, ProbeResult>,
  { voters }: Pick<FleetPlan, "voters">,
): FleetStatus {
  const hosts = deployed.flatMap((host): HostStatus[] => {
    const probe = probes.get(host.name);
    if (!probe) return [];
    const { name, provider, voter, port } = host;
    const facts = "facts" in probe ? probe.facts : null;
    const listens = facts ? boundOf(facts, port) : null;
    const electorate = { self: name, voters: voters.effective, quorum: voters.quorum };
    const paths = pathsOf(facts ?? undefined, electorate);
    return [{ host: name, provider, voter, listens, paths, ...stateOf(name, probe) }];
  });
  const alive = voters.effective.filter((name) => {
    const probe = probes.get(name);
    return probe && "facts" in probe && isAlive(name, probe.facts ?? undefined);
  }).length;
  const { declared, quorum } = voters;
  return {
    hosts,
    voters: { declared: declared.length, alive, quorum, margin: alive - quorum },
  };
}

/** Provider and where it listens: on a narrow terminal these stand before the detail. */
const FOLDED = [1, 3];

export function renderStatus({ hosts, voters }: FleetStatus, width: number): string {
  const paint = (state: string): string =>
    state === "HEALTHY" ? colour.green(state) : colour.red(state);
  const withPaths = hosts.some(({ paths }) => paths !== null);
  const columns = [
    "HOST",
    "PROVIDER",
    "VOTER",
    "LISTENS",
    "STATE",
    ...(withPaths ? ["PATHS"] : []),
    "DETAIL",
  ];
  const header = columns.map((text) => colour.bold(text));
  const rows = hosts.map((host) => [
    host.host,
    host.provider,
    host.voter ? "yes" : "-",
    host.listens === "all, exposed" ? colour.red(host.listens) : (host.listens ?? "-"),
    paint(host.state),
    ...(withPaths ? [describePaths(host.paths)] : []),
    host.detail,
  ]);
  const providers = [...new Set(hosts.map(({ provider }) => provider))].sort().map((provider) => {
    const members = hosts.filter((host) => host.provider === provider);
    const well = members.filter(({ state }) => state === "HEALTHY").length;
    return `${provider} ${well}/${members.length}`;
  });
  const { declared, alive, quorum, margin } = voters;
  return [
    renderTable(foldColumns([header, ...rows], FOLDED, width), width),
    "",
    `healthy  ${providers.join("  ") || "no host is deployed"}`,
    `voters   ${alive} of ${declared} alive, quorum ${quorum}, margin ${margin}`,
    ...(withPaths ? [`paths    ${thinPaths(hosts)}`] : []),
    "",
  ].join("\n");
}

/** Who is cut off, who would be if one more thing failed, and of whom nobody knows. */
function thinPaths(hosts: readonly HostStatus[]): string {
  const those = (verdict: PathsStatus["verdict"]) =>
    hosts.flatMap(({ host, paths }) => (paths?.verdict === verdict ? [{ host, paths }] : []));
  const names = (some: readonly { host: string }[]) => some.map(({ host }) => host).join(", ");
  const [cutOff, last] = [those("cut off"), those("last")];
  const unknown = hosts.filter(({ paths }) => paths === null || paths.verdict === "unknown");
  const failures = new Map<string, string[]>();
  for (const { host, paths } of last)
    failures.set(lastOf(paths), [...(failures.get(lastOf(paths)) ?? []), host]);
  const thin = [...failures].map(([failure, who]) => `${who.join(", ")} (${failure})`);
  const parts = [
    ...(cutOff.length > 0 ? [`cut off: ${names(cutOff)}`] : []),
    ...(thin.length > 0 ? [`one failure away from being cut off: ${thin.join("; ")}`] : []),
    ...(unknown.length > 0 ? [`not known: ${names(unknown)}`] : []),
  ];
  return parts.length > 0 ? parts.join("; ") : "every host has a spare one";
}
