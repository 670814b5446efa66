/** The state of a node in one word, from port, service and journal; never from a process list. */

import { type ProbeResult } from "../probe/types";
import { isAlive } from "./quorum";

export type NodeState =
  | "HEALTHY"
  | "STARTING"
  | "NOT STARTED"
  | "CRASHED"
  | "BLOCKED"
  | "DEGRADED"
  | "UNREACHABLE"
  | "UNTRUSTED";

export interface NodeStatus {
  readonly state: NodeState;
  /** Last error, what blocks the port, why nobody could look; empty where all is well. */
  readonly detail: string;
}

/** The probe's facts as an operator's word; `healthy: false` of the daemon means busy and stays HEALTHY. */
export function stateOf(node: string, probe: ProbeResult): NodeStatus {
  if (probe.class === "unreachable") return { state: "UNREACHABLE", detail: probe.reason };
  if (probe.class === "untrusted") return { state: "UNTRUSTED", detail: probe.reason };
  const { facts } = probe;
  const reason = probe.class === "degraded" ? probe.reason : "";
  if (!facts) return { state: "DEGRADED", detail: reason };
  const { service, lastError } = facts;
  // Whose the port is shows to root only.
  const foreign = facts.elevated ? facts.port.find((owner) => !owner.ours) : undefined;
  if (foreign) return { state: "BLOCKED", detail: `blocked by ${foreign.name}` };
  if (service === null || service.state === "absent")
    return { state: "NOT STARTED", detail: reason || "the service is not installed" };
  if (service.state === "failed" || service.state === "restarting")
    return { state: "CRASHED", detail: lastError ?? service.detail };
  if (service.state === "stopped") return { state: "NOT STARTED", detail: service.detail };
  if (isAlive(node, facts))
    return { state: "HEALTHY", detail: facts.health?.healthy === false ? "busy" : reason };
  return {
    state: "STARTING",
    detail: facts.health?.error ?? lastError ?? `answers as ${facts.health?.nodeId ?? "nobody"}`,
  };
}
