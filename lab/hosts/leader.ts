import { readFileSync, readlinkSync } from "node:fs";

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function namespaces(path: string): string[] {
  try {
    return ["pid", "net"].map((name) => readlinkSync(`${path}/ns/${name}`));
  } catch {
    return [];
  }
}

/** The process ID in a file, null when there is none. */
export function readPid(file: string): number | null {
  return Number(read(file)) || null;
}

/** The lab's own view of processes, seen from the machine. */
export function labProc(init: number): string {
  return `/proc/${init}/root/proc`;
}

/**
 * The first process of a host, numbered by the lab's process namespace; null while the host is down.
 * @param init process ID of the lab's first process
 * @param pidFile where the start script wrote systemd-nspawn's process ID
 */
export function findLeader(init: number, pidFile: string): number | null {
  const proc = labProc(init);
  const nspawn = readPid(pidFile);
  if (nspawn === null || read(`${proc}/${nspawn}/comm`).trim() !== "systemd-nspawn") return null;
  const children = read(`${proc}/${nspawn}/task/${nspawn}/children`).split(" ").filter(Boolean);
  // First there is a go-between in the lab's own process namespace, then the leader, at first still in the lab's network.
  const own = namespaces(`${proc}/${nspawn}`);
  const leader = children.find((pid) => {
    const its = namespaces(`${proc}/${pid}`);
    return its.length > 0 && its.every((name, index) => name !== own[index]);
  });
  return leader === undefined ? null : Number(leader);
}

/** Whether something listens on a TCP port, given the text of /proc/PID/net/tcp or tcp6. */
export function isListening(table: string, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table.split("\n").some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === "0A" && local?.endsWith(suffix) === true;
  });
}

/** Whether a host's port is listened on, seen from outside: no packet and no login. */
export function hostListens(init: number, leader: number, port: number): boolean {
  const net = `${labProc(init)}/${leader}/net`;
  return isListening(read(`${net}/tcp`), port) || isListening(read(`${net}/tcp6`), port);
}
