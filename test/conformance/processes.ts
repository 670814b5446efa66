import * as fs from "node:fs";

/** A process of one engine run. */
export interface RunProcess {
  readonly pid: number;
  readonly kind: "engine" | "program" | "provider";
}

function readOf(pid: string, file: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It ended meanwhile, or belongs to somebody else.
    return "";
  }
}

/**
 * Processes that were started for a project, whoever their parent is now: those whose environment names
 * its fake cloud. Zombies do not count, they wait for somebody else.
 */
export function processesOf(cloud: string): RunProcess[] {
  const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid): RunProcess[] => {
    if (!readOf(pid, "environ").split("\0").includes(`CONF_CLOUD=${cloud}`)) return [];
    const command = readOf(pid, "cmdline");
    if (command === "") return [];
    const kind = command.includes("pulumi-resource-")
      ? "provider"
      : /cmd\/run/.test(command)
        ? "program"
        : "engine";
    return [{ pid: Number(pid), kind }];
  });
}

/** Waits until no process of a project is left; returns those that are after the deadline. */
export async function waitUntilGone(cloud: string, milliseconds: number): Promise<RunProcess[]> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const left = processesOf(cloud);
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
