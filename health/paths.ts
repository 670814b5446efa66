/** How a host reaches the voters and relays, and how far it is from reaching them no more. */

import { type Facts } from "../payload/facts";

export interface PathsStatus {
  /** Peers by the path that is taken to them now. */
  readonly active: Readonly<Record<string, number>>;
  /** `spare`: any one path may fail; `last`: without `lastPath` the majority is out of reach. */
  readonly verdict: "spare" | "last" | "cut off" | "unknown";
  readonly lastPath: string | null;
  /** Voters and relays to which no path is known to work, sorted. */
  readonly unreachable: readonly string[];
  /** For people; empty where all is well. */
  readonly problem: string;
}

type PathsFact = NonNullable<Facts["paths"]>;

/** @returns null where the host has no path forwarder */
export function pathsOf(facts: Pick<Facts, "paths"> | undefined): PathsStatus | null {
  const paths = facts?.paths ?? null;
  if (paths === null) return null;
  const peers = Object.entries(paths.watched);
  const active: Record<string, number> = {};
  for (const [, { active: key, up }] of peers)
    if (key !== null && up.includes(key)) active[key] = (active[key] ?? 0) + 1;
  const unreachable = peers.filter(([, { up }]) => up.length === 0).map(([name]) => name);
  const problem = [paths.error, paths.mistake, ...paths.waiting].find((text) => text) ?? "";
  const base = { active, unreachable: unreachable.sort(), problem };
  if (peers.length === 0) return { ...base, verdict: "unknown", lastPath: null };
  const needed = Math.floor(peers.length / 2) + 1;
  if (peers.length - unreachable.length < needed)
    return { ...base, verdict: "cut off", lastPath: null };
  const kinds = [...new Set(peers.flatMap(([, { up }]) => up))].sort();
  const last = kinds.find((kind) => reachableWithout(kind, paths) < needed) ?? null;
  return { ...base, verdict: last === null ? "spare" : "last", lastPath: last };
}

function reachableWithout(kind: string, { watched }: PathsFact): number {
  return Object.values(watched).filter(({ up }) => up.some((other) => other !== kind)).length;
}

/** One cell of a table, such as `tailscale 4, cloudflare 1`. */
export function describePaths(status: PathsStatus | null): string {
  if (status === null) return "-";
  if (status.problem !== "") return status.problem;
  if (status.verdict === "cut off") return `CUT OFF from ${status.unreachable.join(", ")}`;
  const active = Object.entries(status.active)
    .sort(([, a], [, b]) => b - a)
    .map(([path, count]) => `${path} ${count}`)
    .join(", ");
  if (status.verdict === "unknown") return "no peers";
  const missing = status.unreachable.length > 0 ? `; not ${status.unreachable.join(", ")}` : "";
  return `${active}${missing}${status.verdict === "last" ? `; cut off without ${status.lastPath}` : ""}`;
}
