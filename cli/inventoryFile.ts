/** The inventory that a command was given; `-` is standard input. */

import { readFileSync, statSync } from "node:fs";
import { type Fleet } from "../hosts/fleet";
import { formatFinding } from "../hosts/finding";
import { loadInventory } from "../hosts/inventory";
import { MAX_BYTES } from "../hosts/limits";
import { type FleetPlan } from "../hosts/plan/types";
import { UsageError } from "./usageError";

export const DEFAULT_INVENTORY = "distributed_hosts.yaml";

/** @throws UsageError when there is no such file, or it cannot be read */
export function readInventory(file: string): string {
  if (file === "-") return readFileSync(0, "utf8");
  try {
    // Over the bound the text is refused anyway: reading one byte more than allowed shows that.
    if (statSync(file).size > MAX_BYTES) return "#".repeat(statSync(file).size);
    return readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "no such file" : code === "EISDIR" ? "is a directory" : code;
    throw new UsageError(
      `cannot read ${file}: ${why}`,
      file === DEFAULT_INVENTORY ? "name the inventory, or run this where it is" : undefined,
    );
  }
}

/** Fleet and plan of an inventory; undefined, with its errors on standard error and exit code 1, where it has none. */
export function planOrErrors(
  text: string,
  file: string,
): { readonly fleet: Fleet; readonly plan: FleetPlan } | undefined {
  const { fleet, plan, findings } = loadInventory(text, file);
  if (fleet && plan) return { fleet, plan };
  for (const finding of findings.filter(({ severity }) => severity === "error"))
    process.stderr.write(`${formatFinding(finding)}\n`);
  process.exitCode = 1;
  return undefined;
}
