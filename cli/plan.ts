/** `fleet plan`: what will be done with every host, and why. */

import { Command } from "commander";
import { formatFinding } from "../hosts/finding";
import { loadInventory } from "../hosts/inventory";
import { type Exposure, type FleetPlan, type HostPlan } from "../hosts/plan/types";
import { DEFAULT_INVENTORY, readInventory } from "./inventoryFile";
import { planOptions, stackOption } from "./stackSettings";
import { planJson } from "./planJson";
import { renderList, renderTable } from "./table";
import { colour, printJson, tableWidth } from "./terminal";

export function planCommand(): Command {
  return new Command("plan")
    .description("Decide what is done with every host, and say why. Nothing is contacted.")
    .argument("[file]", "inventory; - reads standard input", DEFAULT_INVENTORY)
    .option("--json", "print JSON (docs/json.md)")
    .option("--controller <host>", "the host on which the program will run")
    .addOption(stackOption())
    .addHelpText(
      "after",
      "\nExit codes: 0 there is a plan, 1 the file as a whole cannot be used, 2 wrong usage.",
    )
    .action((file: string, options: { json?: boolean; controller?: string }) => {
      const { plan, findings } = loadInventory(readInventory(file), file, planOptions(options));
      const errors = findings.filter(({ severity }) => severity === "error");
      if (!plan) {
        if (options.json) printJson({ file, findings });
        for (const finding of errors) process.stderr.write(`${formatFinding(finding)}\n`);
        process.exitCode = 1;
        return;
      }
      if (options.json) printJson(planJson(plan));
      else process.stdout.write(renderPlan(plan, tableWidth()));
      if (errors.length > 0) {
        const many = errors.length === 1 ? "1 error" : `${errors.length} errors`;
        process.stderr.write(`${many} in ${file}: fleet check ${file} lists them\n`);
      }
    });
}

export function renderPlan(plan: FleetPlan, width: number): string {
  const hosts = [...plan.hosts.values()];
  const isForwarded = hosts.some((host) => host.action === "deploy" && host.forwarded);
  const rows = hosts.map((host) => rowOf(host, plan, isForwarded));
  const where = isForwarded ? ["NUMBER", "ADDRESS", "PATHS"] : ["TRANSPORT"];
  const header = [
    "HOST",
    "PROVIDER",
    "ACTION",
    "SUPERVISOR",
    ...where,
    "LISTENS",
    "VOTER",
    "REASON",
  ];
  const { voters } = plan;
  const lines = [
    renderTable([header.map((text) => colour.bold(text)), ...rows], width),
    ...(rows.some((row) => row.some((cell) => cell.includes("*"))) ? ["* made by this stack"] : []),
    "",
    `voters       ${voters.effective.length} of ${voters.declared.length} declared can vote, quorum ${voters.quorum}, margin ${voters.margin}`,
    renderList("  effective  ", voters.effective, width),
    ...voters.rejected.map(({ node, reason }) => `  rejected   ${printable(node)} (${reason})`),
    `coordinator  ${plan.coordinator ?? "none"}`,
    renderList("relays       ", plan.relays, width),
    renderList("entry        ", plan.entry, width),
  ];
  return lines.join("\n") + "\n";
}

const PAINT = { deploy: colour.green, skip: colour.dim, refused: colour.red } as const;

function rowOf(host: HostPlan, plan: FleetPlan, isForwarded: boolean): string[] {
  const isDeployed = host.action === "deploy";
  const isRejected = plan.voters.rejected.some(({ node }) => node === host.name);
  const voter = isDeployed && host.voter ? "yes" : isRejected ? "rejected" : "-";
  return [
    printable(host.name),
    host.provider,
    PAINT[host.action](host.action),
    isDeployed ? host.supervisor : "-",
    ...(isForwarded ? whereOf(host, plan) : [transportOf(host)]),
    isDeployed ? paintExposure(host.exposure) : "-",
    voter,
    host.reason,
  ];
}

function paintExposure(exposure: Exposure): string {
  return exposure === "all, exposed" ? colour.red(exposure) : exposure;
}

function transportOf(host: HostPlan): string {
  if (host.action !== "deploy") return "-";
  return host.relay ? `${host.transport.kind}+relay` : host.transport.kind;
}

/** Number, address, and the paths in the order in which they are tried; a `*` marks one that is still to be made. */
function whereOf(host: HostPlan, { methods }: FleetPlan): string[] {
  if (host.action !== "deploy") return [String(host.number ?? "-"), "-", "-"];
  const { addresses, planned, number, loopback } = host;
  const paths = (host.methods ?? methods).flatMap((path) => {
    if (path === "relay" || path === "none") return [];
    if (addresses[path] !== null) return [path];
    return path !== "direct" && planned.includes(path) ? [`${path}*`] : [];
  });
  const ways = [...paths, ...(host.relay ? ["relay"] : [])];
  if (host.entryOnly) return [String(number), loopback, "entry only"];
  return [String(number), loopback, ways.join(" ") || "none"];
}

/** Host names are keys of the file and may hold anything; a terminal gets them escaped. */
function printable(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : JSON.stringify(name.slice(0, 60));
}
