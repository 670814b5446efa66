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

/**
 * True when the daemon runs and has its port, but did not answer in time: hung, or on a host that is very busy. As a
 * vote it does not count; to restart it may take one away.
 */
export function isSilent(facts: Facts | undefined): boolean {
  return (
    facts?.service?.state === "running" &&
    facts.port.some(({ ours }) => ours) &&
    (facts.health === null || facts.health.status === 0)
  );
}

export interface Votes {
  /** Voters whose daemon is alive. */
  readonly alive: ReadonlySet<string>;
  /** Voters that were reached and whose daemon does not answer. */
  readonly silent: ReadonlySet<string>;
  /** Voters that nobody could look at, and of which a live voter has heard lately. */
  readonly unknown: ReadonlySet<string>;
}

/** Seconds: four heartbeats. */
const LATELY = 60;

/** @param facts of the voters that could be looked at */
export function votesOf(voters: readonly string[], facts: ReadonlyMap<string, Facts>): Votes {
  const alive = voters.filter((name) => isAlive(name, facts.get(name)));
  const isHeardOf = (name: string) =>
    alive.some((other) => (facts.get(other)?.status?.heard[name] ?? Infinity) <= LATELY);
  return {
    alive: new Set(alive),
    silent: new Set(voters.filter((name) => !alive.includes(name) && isSilent(facts.get(name)))),
    unknown: new Set(voters.filter((name) => !facts.has(name) && isHeardOf(name))),
  };
}

export interface QuorumState {
  /** Voters whose daemon is alive. */
  readonly alive: ReadonlySet<string>;
  /** Voters of which that is not known: they may be votes, and must not be relied on. @default none */
  readonly doubtful?: ReadonlySet<string>;
  /** floor(declared / 2) + 1 */
  readonly quorum: number;
}

/**
 * Whether a voter may be taken down now.
 *
 * @returns undefined when it may; else the refusal, with the votes in it. Starting a voter that is down is
 * always allowed, and so is anything while the quorum does not stand anyway.
 */
export function whyNotDown(voter: string, state: QuorumState): string | undefined {
  const { alive, doubtful = new Set<string>(), quorum } = state;
  const isDown = !alive.has(voter) && !doubtful.has(voter);
  if (isDown || alive.size + doubtful.size < quorum) return undefined;
  const staying = [...alive].filter((name) => name !== voter).length;
  if (staying >= quorum) return undefined;
  const names = (some: ReadonlySet<string>) => [...some].sort().join(", ") || "nobody";
  const unsure = doubtful.size === 0 ? "" : `; not known: ${names(doubtful)}`;
  return (
    `restarting voter ${voter} would leave ${staying} of ${quorum} votes that the quorum needs ` +
    `(alive: ${names(alive)}${unsure}); P2P_ALLOW_QUORUM_LOSS=true overrides this for one run`
  );
}
