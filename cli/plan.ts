/** `fleet plan`: what will be done with every host, and why. */

import { Command } from "commander";
import { formatFinding } from "../hosts/finding";
import { loadInventory } from "../hosts/inventory";
import {
  type DeployHostPlan,
  type Exposure,
  type FleetPlan,
  type HostPlan,
} from "../hosts/plan/types";
import { notes } from "./helpText";
import { DEFAULT_INVENTORY, readInventory, tellErrors } from "./inventoryFile";
import { planOptions, stackOption } from "./stackSettings";
import { planJson } from "./planJson";
import { foldColumns, renderList, renderTable } from "./table";
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
      notes("Exit codes: 0 there is a plan, 1 the file as a whole cannot be used, 2 wrong usage."),
    )
    .action((file: string, options: { json?: boolean; controller?: string; stack?: string }) => {
      const { plan, findings } = loadInventory(readInventory(file), file, planOptions(options));
      if (!plan) {
        if (options.json) printJson({ file, findings });
        const errors = findings.filter(({ severity }) => severity === "error");
        for (const finding of errors) process.stderr.write(`${formatFinding(finding)}\n`);
        process.exitCode = 1;
        return;
      }
      if (options.json) printJson(planJson(plan));
      else process.stdout.write(renderPlan(plan, tableWidth()));
      tellErrors(findings, file);
    });
}

/** Provider, supervisor, transport and where it listens: on a narrow terminal these stand before the reason. */
const FOLDED = [1, 3, 4, 5];

export function renderPlan(plan: FleetPlan, width: number): string {
  const rows = [...plan.hosts.values()].map((host) => rowOf(host, plan));
  const header = [
    "HOST",
    "PROVIDER",
    "ACTION",
    "SUPERVISOR",
    "TRANSPORT",
    "LISTENS",
    "VOTER",
    "REASON",
  ];
  const { voters } = plan;
  const lines = [
    renderTable(
      foldColumns([header.map((text) => colour.bold(text)), ...rows], FOLDED, width),
      width,
    ),
    "",
    ...renderNodes(plan, width),
    `voters       ${voters.effective.length} of ${voters.declared.length} declared can vote, quorum ${voters.quorum}, margin ${voters.margin}`,
    renderList("  effective  ", voters.effective, width),
    ...voters.rejected.map(({ node, reason }) => `  rejected   ${printable(node)} (${reason})`),
    `coordinator  ${plan.coordinator ?? "none"}`,
    renderList("relays       ", plan.relays, width),
    renderList("entry        ", plan.entry, width),
  ];
  return lines.join("\n") + "\n";
}

/** Where nodes have forwarders: number, address, and paths in the order in which they are tried. */
function renderNodes({ hosts, methods }: FleetPlan, width: number): string[] {
  const nodes = [...hosts.values()].flatMap((host) =>
    host.action === "deploy" && host.forwarded ? [host] : [],
  );
  if (nodes.length === 0) return [];
  const rows = nodes.map((host) => {
    const ways = [...pathsTo(host, methods), ...(host.relay ? ["relay"] : [])].join(" ");
    const text = host.entryOnly ? `${ways} (knows only the entry)` : ways;
    return [printable(host.name), String(host.number), host.loopback, text.trim() || "none"];
  });
  const header = ["NODE", "NUMBER", "ADDRESS", "PATHS"].map((text) => colour.bold(text));
  const isMade = nodes.some(({ planned }) => planned.length > 0);
  return [
    renderTable([header, ...rows], width),
    ...(isMade ? ["* made by this stack; the inventory has no address for it"] : []),
    "",
  ];
}

function pathsTo(host: DeployHostPlan, methods: FleetPlan["methods"]): string[] {
  return (host.methods ?? methods).flatMap((path) => {
    if (path === "relay" || path === "none") return [];
    if (host.addresses[path] !== null) return [path];
    return path !== "direct" && host.planned.includes(path) ? [`${path}*`] : [];
  });
}

const PAINT = { deploy: colour.green, skip: colour.dim, refused: colour.red } as const;

function rowOf(host: HostPlan, { voters }: FleetPlan): string[] {
  const isDeployed = host.action === "deploy";
  const isRejected = voters.rejected.some(({ node }) => node === host.name);
  const voter = isDeployed && host.voter ? "yes" : isRejected ? "rejected" : "-";
  return [
    printable(host.name),
    host.provider,
    PAINT[host.action](host.action),
    isDeployed ? host.supervisor : "-",
    isDeployed ? (host.relay ? `${host.transport.kind}+relay` : host.transport.kind) : "-",
    isDeployed ? paintExposure(host.exposure) : "-",
    voter,
    host.reason,
  ];
}

function paintExposure(exposure: Exposure): string {
  return exposure === "all, exposed" ? colour.red(exposure) : exposure;
}

/** Host names are keys of the file and may hold anything; a terminal gets them escaped. */
function printable(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : JSON.stringify(name.slice(0, 60));
}
