/** Reads the inventory that a command was given; `-` is standard input. */

import { readFileSync, statSync } from "node:fs";
import { MAX_BYTES } from "../hosts/limits";
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
