/** `p2p:policy`: how much of the fleet may be missing or failed before the run ends red. */

import { type Outcome } from "./outcome";

/** A number of hosts, or a share such as `25%`. */
export type Share = number | `${number}%`;

export interface Policy {
  /** Hosts that nobody could look at. */
  readonly maxUnreachable: Share;
  /** Hosts on which something failed. */
  readonly maxFailed: Share;
}

export interface FleetPolicy {
  readonly workers: Policy;
  readonly voters: Policy;
}

export type Light = "green" | "yellow" | "red";

export interface Judgement {
  readonly light: Light;
  /** One line for each bound that is broken (red), or for each kind that occurs within it (yellow). */
  readonly reasons: readonly string[];
}

/** @returns undefined where the text is neither a count nor a share */
export function parseShare(value: unknown): Share | undefined {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  if (typeof value !== "string") return undefined;
  if (/^\d{1,6}$/.test(value)) return Number(value);
  const match = /^(\d{1,3})%$/.exec(value);
  return match && Number(match[1]) <= 100 ? `${Number(match[1])}%` : undefined;
}

/** A share of nothing allows nothing; shares are rounded down. */
export function allowed(share: Share, total: number): number {
  return typeof share === "number" ? share : Math.floor((total * Number.parseInt(share, 10)) / 100);
}

export function judge(outcomes: readonly Outcome[], policy: FleetPolicy): Judgement {
  const broken: string[] = [];
  const within: string[] = [];
  for (const role of ["voter", "worker"] as const) {
    const hosts = outcomes.filter((outcome) => outcome.role === role);
    const bounds = role === "voter" ? policy.voters : policy.workers;
    const cases = [
      { label: "unreachable", kinds: ["unreachable", "untrusted"], share: bounds.maxUnreachable },
      { label: "failed", kinds: ["failed", "held", "blocked"], share: bounds.maxFailed },
    ];
    for (const { label, kinds, share } of cases) {
      const count = hosts.filter(({ kind }) => kinds.includes(kind)).length;
      if (count === 0) continue;
      const limit = allowed(share, hosts.length);
      const text = `${count} of ${hosts.length} ${role}s ${label}, ${limit} allowed (${share})`;
      (count > limit ? broken : within).push(text);
    }
  }
  const light = broken.length > 0 ? "red" : within.length > 0 ? "yellow" : "green";
  return { light, reasons: [...broken, ...within] };
}
