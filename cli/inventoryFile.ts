/** The inventory that a command was given; `-` is standard input. */

import { closeSync, openSync, readSync } from "node:fs";
import { decodeInventory } from "../hosts/encoding";
import { type Fleet } from "../hosts/fleet";
import { type Finding, formatFinding } from "../hosts/finding";
import { loadInventory } from "../hosts/inventory";
import { MAX_BYTES } from "../hosts/limits";
import { type FleetPlan } from "../hosts/plan/types";
import { whyUnreadable } from "../hosts/unreadable";
import { UsageError } from "./usageError";

export const DEFAULT_INVENTORY = "distributed_hosts.yaml";

/** @throws UsageError when there is no such file, or it cannot be read */
export function readInventory(file: string): string {
  try {
    if (file === "-") return readBounded(0);
    const descriptor = openSync(file, "r");
    try {
      return readBounded(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new UsageError(
      `cannot read ${file}: ${whyUnreadable(error)}`,
      file === DEFAULT_INVENTORY ? "name the inventory, or run this where it is" : undefined,
    );
  }
}

/** All of a file, or one byte more than an inventory may have: such a text is refused, however long it is. */
function readBounded(descriptor: number): string {
  const bytes = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < bytes.length; length += read)
    read = readSync(descriptor, bytes, length, bytes.length - length, null);
  return decodeInventory(bytes.subarray(0, length));
}

/** Says on standard error that a file that can be used has errors all the same: hosts are missing in what was printed. */
export function tellErrors(findings: readonly Finding[], file: string): void {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const many = errors === 1 ? "1 error" : `${errors} errors`;
  if (errors > 0) process.stderr.write(`${many} in ${file}: fleet check ${file} lists them\n`);
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
