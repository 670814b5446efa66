import { spawnSync } from "node:child_process";

/** True when the program is here and ends well. */
export function canRun(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}
