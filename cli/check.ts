/** `fleet check`: every finding of the inventory, grouped by host. */

import { Command } from "commander";
import { type Finding, formatFinding, type Severity } from "../hosts/finding";
import { type Inventory, loadInventory } from "../hosts/inventory";
import { notes } from "./helpText";
import { DEFAULT_INVENTORY, readInventory } from "./inventoryFile";
import { planOptions, stackOption } from "./stackSettings";
import { colour, printJson } from "./terminal";

export interface CheckSummary {
  readonly hosts: number;
  readonly deploy: number;
  readonly skip: number;
  readonly refused: number;
  readonly errors: number;
  readonly warnings: number;
}

export function checkCommand(): Command {
  return new Command("check")
    .description("Check the inventory and print every finding.")
    .argument("[file]", "inventory; - reads standard input", DEFAULT_INVENTORY)
    .option("--json", "print JSON (docs/json.md)")
    .option("--controller <host>", "the host on which the program will run")
    .addOption(stackOption())
    .option("-q, --quiet", "leave out findings of severity info")
    .addHelpText("after", notes("Exit codes: 0 no errors, 1 errors, 2 wrong usage."))
    .action(
      (
        file: string,
        options: { json?: boolean; controller?: string; stack?: string; quiet?: boolean },
      ) => {
        const inventory = loadInventory(readInventory(file), file, planOptions(options));
        const summary = countFindings(inventory);
        if (options.json) printJson({ file, findings: inventory.findings, summary });
        else process.stdout.write(renderCheck(inventory, summary, options.quiet ?? false));
        process.exitCode = summary.errors > 0 ? 1 : 0;
      },
    );
}

export function countFindings({ plan, findings }: Inventory): CheckSummary {
  const actions = [...(plan?.hosts.values() ?? [])].map((host) => host.action);
  const count = (action: string) => actions.filter((other) => other === action).length;
  const severity = (wanted: Severity) => findings.filter((f) => f.severity === wanted).length;
  return {
    hosts: actions.length,
    deploy: count("deploy"),
    skip: count("skip"),
    refused: count("refused"),
    errors: severity("error"),
    warnings: severity("warning"),
  };
}

const PAINT: Readonly<Record<Severity, (text: string) => string>> = {
  error: colour.red,
  warning: colour.yellow,
  info: colour.dim,
};

/** One line for each finding, and one for its hint; groups in the order in which the file has them. */
export function renderCheck(
  { findings }: Pick<Inventory, "findings">,
  summary: CheckSummary,
  quiet: boolean,
): string {
  const shown = quiet ? findings.filter(({ severity }) => severity !== "info") : findings;
  const groups = new Map<string, Finding[]>();
  for (const finding of shown) {
    const group = groupOf(finding);
    const members = groups.get(group);
    if (members) members.push(finding);
    else groups.set(group, [finding]);
  }
  const blocks = [...groups].map(([group, members]) =>
    [colour.bold(group), ...members.flatMap(renderFinding)].join("\n"),
  );
  return [...blocks, renderSummary(summary, findings)].join("\n\n") + "\n";
}

/** The host that a path leads into, else `fleet`. */
function groupOf(finding: Finding): string {
  const match = /^hosts(?:\.([\w-]+)|\[("(?:[^"\\]|\\.)*")\])/.exec(finding.path);
  return match?.[1] ?? match?.[2] ?? "fleet";
}

function renderFinding(finding: Finding): string[] {
  const paint = PAINT[finding.severity];
  const label = paint(finding.severity.padEnd(7));
  const line = `  ${label} ${formatFinding(finding)} ${colour.dim(`[${finding.code}]`)}`;
  return finding.hint === null ? [line] : [line, `          ${finding.hint}`];
}

function renderSummary(summary: CheckSummary, findings: readonly Finding[]): string {
  const notes = findings.length - summary.errors - summary.warnings;
  const many = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;
  return (
    `${many(summary.hosts, "host")}: ${summary.deploy} deploy, ${summary.skip} skip, ` +
    `${summary.refused} refused; ${many(summary.errors, "error")}, ` +
    `${many(summary.warnings, "warning")}, ${notes} info`
  );
}
