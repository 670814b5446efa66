/** The processes of a Pulumi command on a lab, so that a test can kill one of them. */

import { readdirSync, readFileSync } from "node:fs";

export type RunPart = "engine" | "program" | "provider";

function textOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

/** Process IDs of one part of the commands that run on a lab now, on either engine. */
export function processesOf(lab: string, part: RunPart): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    if (!textOf(pid, "environ").split("\0").includes(`FLEET_LAB=${lab}`)) return [];
    return partOf(textOf(pid, "cmdline")) === part ? [Number(pid)] : [];
  });
}

function partOf(commandLine: string): RunPart | undefined {
  const words = commandLine.split("\0");
  if (words.some((word) => /pulumi-resource-/.test(word))) return "provider";
  if (words.some((word) => /cmd\/run/.test(word))) return "program";
  return words.some((word) => /\/pulumi$/.test(word)) ? "engine" : undefined;
}

/** kill -9. @returns whether there was anything to kill */
export function killRun(lab: string, part: RunPart): boolean {
  const pids = processesOf(lab, part);
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  return pids.length > 0;
}
