import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build, cacheDirectory, keyed, script } from "./cache";
import { ensureGo } from "./goToolchain";
import { type Progress } from "./progress";
import { projectRoot } from "./projectRoot";

/** What is built for the lab's tailnet. */
export interface TailnetCache {
  /** The lab's coordination server. */
  readonly server: string;
  /** Downloads by the vendor's own paths: `stable/tailscale_<version>_<arch>.tgz`, and its `.sha256`. */
  readonly mirror: string;
}

function sourceFolder(): string {
  return join(projectRoot(), "lab", "tailnet");
}

/** The version of tailscale that the module pins, as the vendor writes it: 1.102.2. */
export function tailscaleVersion(goMod: string): string {
  const version = /^\s*(?:require\s+)?tailscale\.com v(\d+\.\d+\.\d+)$/m.exec(goMod)?.[1];
  if (version === undefined) throw new Error("lab/tailnet/go.mod: no version of tailscale.com");
  return version;
}

/** The version of tailscale that the lab's hosts get. */
export function labTailscaleVersion(): string {
  return tailscaleVersion(readFileSync(join(sourceFolder(), "go.mod"), "utf8"));
}

// Whatever goes into the programs: the module's pins and its own sources, but not their tests.
function sources(): string[] {
  const names = readdirSync(sourceFolder()).filter(
    (name) => /\.go$|^go\.(mod|sum)$/.test(name) && !name.endsWith("_test.go"),
  );
  return names.map((name) => `${name}\n${readFileSync(join(sourceFolder(), name), "utf8")}`);
}

/** Builds the tailnet's programs unless that has been done; minutes, once for a machine. */
export async function fillTailnetCache(
  progress: Progress,
  signal?: AbortSignal,
): Promise<TailnetCache> {
  const directory = cacheDirectory(process.env);
  mkdirSync(directory, { recursive: true });
  const target = join(directory, keyed("tailnet", "lab-tailnet.sh", sources(), [process.arch]));
  const cache = { server: join(target, "labtailnet"), mirror: target };
  if (existsSync(target)) return cache;
  const go = await ensureGo(progress, signal);
  const argv = [script("lab-tailnet.sh"), target, go, sourceFolder(), labTailscaleVersion()];
  await build("tailnet", target, argv, progress, signal);
  return cache;
}
