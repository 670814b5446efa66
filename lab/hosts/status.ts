import { run } from "../fleet/run";
import { insideHost, type LabHandle, leaderOf } from "./boot";
import { faultsOf } from "./faultJournal";
import { type FaultName } from "./faults";
import { hostListens } from "./leader";
import { isAlive, type Machine, type MachineKind } from "./machine";

/** What the lab itself can see of a host, from outside: it works on hosts that are cut off. */
export interface HostStatus {
  readonly name: string;
  readonly kind: MachineKind;
  readonly address: string;
  readonly user: string;
  readonly state: "dead" | "off" | "running";
  /** Whether something listens on port 22. */
  readonly sshd: boolean;
  /** The daemon's answer on its own port: `none` nobody listens, `silent` no answer within 3 s, `foreign` no daemon. */
  readonly daemon: "foreign" | "healthy" | "none" | "silent" | "unhealthy";
  /** The node ID that the daemon says it has. */
  readonly node: string | null;
  readonly faults: readonly FaultName[];
}

/** What an answer to GET /health says about the daemon. */
export function readHealth(body: string): Pick<HostStatus, "daemon" | "node"> {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return { daemon: "foreign", node: null };
  }
  if (typeof answer !== "object" || answer === null || !("healthy" in answer)) {
    return { daemon: "foreign", node: null };
  }
  const node = "node_id" in answer && typeof answer.node_id === "string" ? answer.node_id : null;
  return { daemon: answer.healthy === true ? "healthy" : "unhealthy", node };
}

async function daemonOf(
  lab: LabHandle,
  machine: Machine,
  leader: number,
): Promise<Pick<HostStatus, "daemon" | "node">> {
  if (!hostListens(lab.init, leader, machine.port)) return { daemon: "none", node: null };
  const url = `http://127.0.0.1:${machine.port}/health`;
  const argv = ["curl", "--silent", "--max-time", "3", url];
  const { code, stdout } = await run(insideHost(lab, machine.name, argv), { timeout: 5_000 });
  return code === 0 ? readHealth(stdout) : { daemon: "silent", node: null };
}

/** Looks at one host; never fails, never takes longer than 5 s. */
export async function hostStatus(lab: LabHandle, machine: Machine): Promise<HostStatus> {
  const { name, kind, address, user } = machine;
  const base = { name, kind, address, user, faults: faultsOf(lab, name) };
  const leader = leaderOf(lab, name);
  if (leader === null) {
    const state = isAlive(machine) ? "off" : "dead";
    return { ...base, state, sshd: false, daemon: "none", node: null };
  }
  const daemon = await daemonOf(lab, machine, leader).catch(() => ({
    daemon: "silent" as const,
    node: null,
  }));
  return { ...base, state: "running", sshd: hostListens(lab.init, leader, 22), ...daemon };
}
