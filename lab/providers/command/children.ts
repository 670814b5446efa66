/** Process groups that this provider has started and that are still running. */
const groups = new Set<number>();

/** Remembers a process group until it is forgotten. */
export function remember(group: number): void {
  groups.add(group);
}

export function forget(group: number): void {
  groups.delete(group);
}

/** Kills a process group; one that is gone already is fine. */
export function killGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/** Kills every group that is left: a local command must not outlive the engine that asked for it. */
export function killAll(): void {
  for (const group of groups) killGroup(group);
}
