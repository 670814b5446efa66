/** How a host reaches the voters and relays, and how far it is from reaching too few voters. */

import { type Facts } from "../payload/facts";

export interface PathsStatus {
  /** Peers by the path that is taken to them now. */
  readonly active: Readonly<Record<string, number>>;
  /** Voters and relays with the path that is taken to each; null: none is known to work. */
  readonly peers: Readonly<Record<string, string | null>>;
  /** `spare`: nothing by itself would cut it off; `last`: something would; `cut off`: it reaches too few voters. */
  readonly verdict: "spare" | "last" | "cut off" | "unknown";
  /** A kind of path without which too few voters can be reached. */
  readonly lastPath: string | null;
  /** Voters of which none may be lost any more, sorted. */
  readonly lastVoters: readonly string[];
  /** Voters and relays to which no path is known to work, sorted. */
  readonly unreachable: readonly string[];
  /** Voters and relays that can be reached, and whose daemon does not answer there; sorted. */
  readonly silent: readonly string[];
  /** What is wrong with the forwarder itself, for people; empty where all is well. */
  readonly problem: string;
}

/** Whom the host has to reach. */
export interface Electorate {
  readonly self: string;
  /** Effective voters. */
  readonly voters: readonly string[];
  /** How many of them are a majority of the declared ones. */
  readonly quorum: number;
}

type PathsFact = NonNullable<Facts["paths"]>;

/** @returns null where the host has no path forwarder */
export function pathsOf(
  facts: Pick<Facts, "paths"> | undefined,
  electorate: Electorate,
): PathsStatus | null {
  const paths = facts?.paths ?? null;
  if (paths === null) return null;
  const watched = Object.entries(paths.watched).sort(([a], [b]) => (a < b ? -1 : 1));
  const via = watched.map(([name, { active, up }]): [string, string | null] => [
    name,
    active !== null && up.includes(active) ? active : (up[0] ?? null),
  ]);
  const active: Record<string, number> = {};
  for (const [, path] of via) if (path !== null) active[path] = (active[path] ?? 0) + 1;
  const base = {
    ...{ active, peers: Object.fromEntries(via) },
    unreachable: via.filter(([, path]) => path === null).map(([name]) => name),
    silent: watched.filter(([, peer]) => isSilent(peer)).map(([name]) => name),
    problem: problemOf(paths),
  };
  return { ...base, ...judge(paths, electorate) };
}

type Judgement = Pick<PathsStatus, "verdict" | "lastPath" | "lastVoters">;

function judge({ watched }: PathsFact, { self, ...known }: Electorate): Judgement {
  // Whoever joins somebody's mesh has no voters of its own: those that its forwarder learnt stand for them.
  const voters = known.voters.length > 0 ? known.voters : Object.keys(watched);
  const quorum = known.voters.length > 0 ? known.quorum : Math.floor(voters.length / 2) + 1;
  const others = voters.filter((name) => name !== self);
  // A voter counts itself; where too few can vote at all, no path is to blame, so all of them are enough.
  const needed = Math.min(quorum, voters.length) - (voters.length - others.length);
  const nothing = { lastPath: null, lastVoters: [] };
  if (Object.keys(watched).length === 0) return { verdict: "unknown", ...nothing };
  const reached = (without?: string): string[] =>
    others.filter((name) => watched[name]?.up.some((path) => path !== without));
  const now = reached();
  if (now.length < needed) return { verdict: "cut off", ...nothing };
  const kinds = [...new Set(now.flatMap((name) => watched[name]?.up ?? []))].sort();
  const lastPath = kinds.find((kind) => reached(kind).length < needed) ?? null;
  const lastVoters = now.length === needed ? [...now].sort() : [];
  const isLast = lastPath !== null || lastVoters.length > 0;
  return { verdict: isLast ? "last" : "spare", lastPath, lastVoters };
}

function isSilent({ up, daemon }: PathsFact["watched"][string]): boolean {
  return up.length > 0 && daemon !== null && daemon !== "up" && daemon !== "unknown";
}

function problemOf({ error, mistake, waiting, troubles }: PathsFact): string {
  if (error) return `the forwarder does not answer: ${error}`;
  const told = [mistake && `new settings refused: ${mistake}`, ...waiting, ...troubles];
  return told.find((text) => text) ?? "";
}

/** One cell of a table, such as `tailscale 4, cloudflare 1; cut off without tailscale`. */
export function describePaths(status: PathsStatus | null): string {
  if (status === null) return "-";
  const { verdict, active, unreachable, silent, problem } = status;
  const taken = Object.entries(active)
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .map(([path, count]) => `${path} ${count}`)
    .join(", ");
  const parts = [
    ...(problem === "" ? [] : [problem]),
    ...(verdict === "cut off" ? [`CUT OFF from ${unreachable.join(", ") || "the voters"}`] : []),
    ...(taken === "" ? [] : [taken]),
    ...(verdict !== "cut off" && unreachable.length > 0
      ? [`no path to ${unreachable.join(", ")}`]
      : []),
    ...(silent.length > 0 ? [`no daemon at ${silent.join(", ")}`] : []),
    ...(verdict === "last" ? [`cut off without ${lastOf(status)}`] : []),
  ];
  return parts.join("; ") || "no peers";
}

/** What must not fail any more, such as `cloudflare` or `any of h1, h2`. */
export function lastOf({ lastPath, lastVoters }: PathsStatus): string {
  const voters = lastVoters.length > 1 ? `any of ${lastVoters.join(", ")}` : lastVoters.join("");
  return [...(lastPath === null ? [] : [lastPath]), ...(voters === "" ? [] : [voters])].join(
    " or ",
  );
}
