import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { BASE_PACKAGES, MODULES, REPOSITORY_PACKAGES, WHEELS } from "./packages";
import { type Progress } from "./progress";
import { projectRoot } from "./projectRoot";
import { runChecked } from "./run";

/** The directories that all labs of a machine share, and that need a network to be made. */
export interface LabCache {
  /** `root` (the hosts' file system) and `debs` (a flat apt repository). */
  readonly base: string;
  /** Wheels for Debian 12's Python. */
  readonly wheels: string;
  /** A layer over `base`: the daemon's Python packages, as somebody would have installed them. */
  readonly modules: string;
}

/** `$FLEET_CACHE`, default ~/.cache/p2p-fleet. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  return env.FLEET_CACHE ?? join(homedir(), ".cache", "p2p-fleet");
}

/** Path of a script that makes one of the directories. */
export function script(name: string): string {
  return join(projectRoot(), "scripts", name);
}

// Keyed by what goes in and by how it is made: another list or another script is another directory.
export function keyed(name: string, scriptName: string, ...lists: (readonly string[])[]): string {
  const hash = createHash("sha256").update(readFileSync(script(scriptName)));
  lists.forEach((list) => hash.update(JSON.stringify([...list].sort())));
  return `${name}-${hash.digest("hex").slice(0, 12)}`;
}

/** Where the shared directories are, or will be: `$FLEET_CACHE`, default ~/.cache/p2p-fleet. */
export function cachePaths(env: NodeJS.ProcessEnv = process.env): LabCache {
  const dir = cacheDirectory(env);
  const base = keyed("base", "lab-base.sh", BASE_PACKAGES, REPOSITORY_PACKAGES);
  const wheels = keyed("wheels", "lab-wheels.sh", WHEELS);
  return {
    base: join(dir, base),
    wheels: join(dir, wheels),
    modules: join(dir, keyed("modules", "lab-modules.sh", [base, wheels], MODULES)),
  };
}

/** In process and mount namespaces of its own, a build that is not finished leaves no process and no mount. */
const DIES_WITH_US = [
  ...["setpriv", "--pdeathsig", "KILL"],
  ...["unshare", "--pid", "--mount", "--fork", "--kill-child=KILL", "--mount-proc"],
];

/**
 * Makes one directory of the cache unless it is there, by a script that ends with a rename.
 * flock(1): the lock goes with the process that holds it, however that ends, and a second lab waits for the first.
 */
export async function build(
  what: string,
  target: string,
  argv: readonly string[],
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  if (existsSync(target)) return;
  progress.step(`${what}: building`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
  const started = performance.now();
  await runChecked(what, [...DIES_WITH_US, "flock", `${target}.lock`, "bash", ...argv], {
    env,
    signal,
    onLine: (line) => progress.detail(`${what}: ${line}`),
  });
  progress.step(`${what}: built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Makes whatever of the shared directories is missing; both at once, because they wait for different mirrors. */
export async function fillCache(progress: Progress, signal?: AbortSignal): Promise<LabCache> {
  const cache = cachePaths();
  mkdirSync(cacheDirectory(process.env), { recursive: true });
  const base = [
    script("lab-base.sh"),
    cache.base,
    BASE_PACKAGES.join(),
    REPOSITORY_PACKAGES.join(),
  ];
  const wheels = [script("lab-wheels.sh"), cache.wheels, ...WHEELS];
  await Promise.all([
    build("base root", cache.base, base, progress, signal),
    build("wheels", cache.wheels, wheels, progress, signal),
  ]);
  const modules = [script("lab-modules.sh"), cache.modules, `${cache.base}/root`, cache.wheels];
  await build("Python packages", cache.modules, [...modules, ...MODULES], progress, signal);
  return cache;
}
