/** The order in which hosts are restarted (D5): what is tried first, who never goes down together. */

export interface Restart {
  readonly name: string;
  readonly isVoter: boolean;
  /** Its daemon is up now, or may be, so a restart may take something down. */
  readonly isAlive: boolean;
}

export interface Wave {
  readonly kind: "canary" | "starting voters" | "voter" | "workers" | "token" | "paths";
  readonly hosts: readonly string[];
}

/**
 * One canary, then voters that are down (starting them takes no vote away), then live voters one at a
 * time, then workers in groups.
 *
 * @param parallel hosts of a group that change at the same time
 * @param needsCanary false once a canary of this run got healthy
 */
export function orderWaves(
  restarts: readonly Restart[],
  parallel: number,
  needsCanary: boolean,
): Wave[] {
  const sorted = [...restarts].sort((a, b) => (a.name < b.name ? -1 : 1));
  const workers = sorted.filter((host) => !host.isVoter);
  const down = sorted.filter((host) => host.isVoter && !host.isAlive);
  const live = sorted.filter((host) => host.isVoter && host.isAlive);
  // A worker harms nobody when the release is bad; without one, a voter that is down anyway.
  const canary = needsCanary ? (workers[0] ?? down[0]) : undefined;
  const rest = (hosts: readonly Restart[]) => hosts.filter((host) => host !== canary);
  return [
    ...(canary ? [{ kind: "canary" as const, hosts: [canary.name] }] : []),
    ...groups("starting voters", rest(down), parallel),
    ...live.map((host) => ({ kind: "voter" as const, hosts: [host.name] })),
    ...groups("workers", rest(workers), parallel),
  ];
}

function groups(kind: Wave["kind"], hosts: readonly Restart[], size: number): Wave[] {
  const waves: Wave[] = [];
  for (let start = 0; start < hosts.length; start += size)
    waves.push({ kind, hosts: hosts.slice(start, start + size).map((host) => host.name) });
  return waves;
}
