import { readFileSync } from "node:fs";

/** A process named so that a later process with the same ID is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks after boot, as text. */
  readonly start: string;
}

/** The start time in the text of /proc/PID/stat; the command's name before it may hold spaces and parentheses. */
export function parseStartTime(stat: string): string | null {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

function readStat(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
}

/** The identity of a running process, null when there is none. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  const start = stat === null ? null : parseStartTime(stat);
  return start === null ? null : { pid, start };
}

/** Whether that very process still runs (a zombie does not). */
export function isRunning(process: ProcessIdentity): boolean {
  const stat = readStat(process.pid);
  if (stat === null || parseStartTime(stat) !== process.start) return false;
  const state = stat.slice(stat.lastIndexOf(")") + 2)[0];
  return state !== "Z" && state !== "X";
}

/** Reads "PID START" as the guard and the lab write it. */
export function parseIdentity(text: string): ProcessIdentity | null {
  const match = /^(\d+) (\d+)\s*$/.exec(text);
  return match?.[1] && match[2] ? { pid: Number(match[1]), start: match[2] } : null;
}
