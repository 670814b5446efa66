import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { parseHierarchies } from "../../../lab/fleet/cgroups";

const KINDS = ["mnt", "net", "pid"] as const;
const pins: number[] = [];

/** Names of the namespaces that a process is in. */
function namespacesOf(pid: number | string): string[] {
  return KINDS.flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/ns/${name}`)];
    } catch {
      return [];
    }
  });
}

/**
 * Names of the namespaces that a process is in, which nobody else gets before unpin(): the kernel gives the number of a
 * namespace that has ended to the next one, which may be another lab's.
 */
export function pinned(pid: number): string[] {
  return KINDS.map((name) => {
    const file = openSync(`/proc/${pid}/ns/${name}`, "r");
    pins.push(file);
    return readlinkSync(`/proc/self/fd/${file}`);
  });
}

/** Lets go of all that was pinned. */
export function unpin(): void {
  pins.splice(0).forEach((file) => closeSync(file));
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/**
 * Everything on this machine that belongs to one lab. Other labs may come and go meanwhile, so each kind of thing is
 * looked for by what ties it to this one: its ID in names, its namespaces.
 * @param namespaces those of the lab's first process, noted while it was alive
 */
export function tracesOf(id: string, namespaces: readonly string[]): string[] {
  const mounts = read("/proc/self/mounts").split("\n");
  const groups = parseHierarchies(mounts.join("\n")).flatMap(({ path }) =>
    readdirSync(path).filter((name) => name === `fleet-lab-${id}`),
  );
  const processes = readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    if (namespacesOf(pid).some((name) => namespaces.includes(name))) return true;
    return read(`/proc/${pid}/cmdline`).includes(`/run/fleet-lab/${id}\0`);
  });
  return [
    ...mounts.filter((line) => line.includes(`/run/fleet-lab/${id}/`)).map((m) => `mount ${m}`),
    ...groups.map((name) => `control group ${name}`),
    ...processes.map((pid) => `process ${read(`/proc/${pid}/cmdline`).replace(/\0/g, " ")}`),
    ...read("/proc/net/dev")
      .split("\n")
      .filter((line) => line.includes(`-${id}-`))
      .map((line) => `interface ${line}`),
    ...readdirSync("/run").flatMap((name) =>
      name === "fleet-lab" ? readdirSync("/run/fleet-lab").filter((lab) => lab === id) : [],
    ),
  ];
}
