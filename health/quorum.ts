/** The voters' live quorum. The daemon's own `voter_quorum_ok` is always true, so we count. */

import { type Facts } from "../payload/facts";

/** True when the node's own daemon runs and answers for itself; busy (`healthy: false`) is not down. */
export function isAlive(node: string, facts: Facts | undefined): boolean {
  return (
    facts?.service?.state === "running" &&
    facts.health?.status === 200 &&
    facts.health.nodeId === node
  );
}

/** True when the other's daemon counts the node among those it believes alive. */
export function counts(other: Facts | undefined, node: string): boolean {
  return other?.status?.alive.includes(node) ?? false;
}

/**
 * True when the node has exchanged a heartbeat with the other since its daemon started. What others say is not
 * enough: for minutes they believe in a node that is long gone.
 */
export function hasMet(facts: Facts | undefined, other: string): boolean {
  const uptime = facts?.health?.uptimeSeconds;
  const heard = facts?.status?.heard[other];
  if (typeof uptime !== "number" || heard === undefined) return counts(facts, other);
  return heard <= uptime;
}

export interface QuorumState {
  /** Voters whose daemon is alive. */
  readonly alive: ReadonlySet<string>;
  /** floor(declared / 2) + 1 */
  readonly quorum: number;
}

/**
 * Whether a voter may be taken down now.
 *
 * @returns undefined when it may; else the refusal, with the votes in it. Starting a voter that is down is
 * always allowed, and so is anything while the quorum does not stand anyway.
 */
export function whyNotDown(voter: string, { alive, quorum }: QuorumState): string | undefined {
  if (!alive.has(voter) || alive.size < quorum) return undefined;
  const staying = alive.size - 1;
  if (staying >= quorum) return undefined;
  return (
    `restarting voter ${voter} would leave ${staying} of ${quorum} votes that the quorum needs ` +
    `(alive: ${[...alive].sort().join(", ")}); P2P_ALLOW_QUORUM_LOSS=true overrides this for one run`
  );
}
