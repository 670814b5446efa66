/** A loaded inventory as the comment block that heads each fixture, so that a fixture states all of what it gives. */

import { type Finding } from "../../../hosts/finding";
import { type Inventory } from "../../../hosts/inventory";

function describeFinding({ severity, code, path, line, column, message, hint }: Finding): string[] {
  const place = path === "" ? "" : ` ${path}`;
  return [
    `#   ${severity} ${code}${place} ${line}:${column}`,
    `#     ${message}`,
    ...(hint === null ? [] : [`#     hint: ${hint}`]),
  ];
}

/** Every finding in order, then every host's action and reason by name. */
export function describeInventory({ findings, plan }: Inventory): string {
  const hosts = plan ? [...plan.hosts.values()] : [];
  return [
    findings.length === 0 ? "# findings: none" : "# findings:",
    ...findings.flatMap(describeFinding),
    plan ? "# plan:" : "# plan: none",
    ...hosts.map(({ name, action, reason }) => `#   ${name}: ${action}, ${reason}`),
  ].join("\n");
}

/** The same block as it stands at the head of the file. */
export function expectedOf(text: string): string {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  const start = lines.findIndex((line) => line.startsWith("# findings:"));
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("#"));
  return lines.slice(start, end).join("\n");
}
