/** Runs the `fleet` command as a process. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";

export const root = join(__dirname, "..", "..");

export function fleet(
  args: readonly string[],
  input = "",
  cwd = root,
): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "bin", "fleet.js"), ...args],
    {
      cwd,
      input,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], NO_COLOR: "1" },
    },
  );
  return { code: status, stdout, stderr };
}
