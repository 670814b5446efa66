import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One mounted hierarchy: v1 has one per controller, v2 has one for all, and a machine may have both. */
export interface Hierarchy {
  readonly path: string;
  readonly version: 1 | 2;
}

/** The control group hierarchies in the text of /proc/mounts. */
export function parseHierarchies(mounts: string): Hierarchy[] {
  return mounts.split("\n").flatMap((line): Hierarchy[] => {
    const [, path, type] = line.split(" ");
    if (path === undefined) return [];
    if (type === "cgroup") return [{ path, version: 1 }];
    return type === "cgroup2" ? [{ path, version: 2 }] : [];
  });
}

/** Name of a lab's group in every hierarchy. */
export function groupName(lab: string): string {
  return `fleet-lab-${lab}`;
}

// A v1 cpuset starts without CPUs and memory nodes, and takes no process until it has both.
function inheritCpuset(parent: string, group: string): void {
  for (const name of ["cpuset.cpus", "cpuset.mems"]) {
    if (existsSync(join(group, name))) {
      writeFileSync(join(group, name), readFileSync(join(parent, name), "utf8"));
    }
  }
}

/**
 * Makes a group for one host in each hierarchy, or finds it there. Hosts that share a group stop each other's
 * services: systemd ends a unit by ending its group.
 * @returns the groups' directories
 */
export function makeHostGroups(lab: string, host: string): string[] {
  const hierarchies = parseHierarchies(readFileSync("/proc/mounts", "utf8"));
  return hierarchies.map(({ path, version }) => {
    const parent = join(path, groupName(lab));
    const group = join(parent, host);
    mkdirSync(parent, { recursive: true });
    if (version === 1) inheritCpuset(path, parent);
    mkdirSync(group, { recursive: true });
    if (version === 1) inheritCpuset(parent, group);
    return group;
  });
}
