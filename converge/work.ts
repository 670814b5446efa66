/** What a command has to do on a host: the probe decides, the state only stands (D3). */

import { type Drift } from "../payload/compare";
import { type Facts } from "../payload/facts";
import { type ProbeResult } from "../probe/types";

export type Work =
  /** As wished: whatever the state holds stays. */
  | { readonly kind: "in-order" }
  /** Drifted or behind; `nonce` makes the difference certain even when the same drift comes back. */
  | { readonly kind: "needed"; readonly drift: readonly Drift[]; readonly nonce: string }
  /** Nobody may or can do it now: nothing is dialled, and the work is owed. */
  | { readonly kind: "waiting"; readonly cause: WaitingCause; readonly why: string };

export type WaitingCause = "unreachable" | "untrusted" | "held" | "limited" | "blocked";

/**
 * @param isLimited the host is outside `p2p:limit`
 * @param nonce text that differs from run to run, such as the time of the probe
 */
export function decideWork(
  probe: ProbeResult,
  isLimited: boolean,
  compare: (facts: Facts) => readonly Drift[],
  nonce: string,
): Work {
  const unusable = whyUnusable(probe);
  if (unusable) return { kind: "waiting", ...unusable };
  const facts = factsOf(probe);
  const drift = facts ? compare(facts) : [];
  if (drift.length === 0) return { kind: "in-order" };
  if (isLimited) return { kind: "waiting", cause: "limited", why: "held: outside p2p:limit" };
  return { kind: "needed", drift, nonce };
}

export function hold(why: string): Work {
  return { kind: "waiting", cause: "held", why: `held: ${why}` };
}

/** Why nothing can be done on the host; undefined where it can. */
function whyUnusable(probe: ProbeResult): { cause: WaitingCause; why: string } | undefined {
  switch (probe.class) {
    case "ready":
      return undefined;
    case "degraded":
      // Facts are enough to work with: what is missing (Python, say) is what `prepare` brings.
      return factsOf(probe)
        ? undefined
        : { cause: "unreachable", why: `degraded: ${probe.reason}` };
    case "untrusted":
      return { cause: "untrusted", why: `untrusted: ${probe.reason}` };
    case "unreachable":
      return { cause: "unreachable", why: `unreachable: ${probe.reason}` };
  }
}

/** Facts to work with. Who is not root sees no rules, no secrets and no owner of a port, and would call that drift. */
export function factsOf(probe: ProbeResult | undefined): Facts | undefined {
  if (probe?.class === "ready") return probe.facts;
  const facts = probe?.class === "degraded" ? probe.facts : null;
  // Without Python nobody has asked yet.
  return facts && (facts.elevated || facts.python === null) ? facts : undefined;
}

/** Characters of edited lines that one command's input may carry; the state holds them twice. */
const MOST_DETAIL = 2000;

/** `service: "running → failed: …"`, as preview shows it; with the edited lines, as far as they fit. */
export function describeDrift(drift: readonly Drift[]): Record<string, string | string[]> {
  let left = MOST_DETAIL;
  const fitting = (detail: string): string[] => {
    const lines = detail.split("\n").map((line) => shortened(line, 200));
    const shown = lines.filter((line) => (left -= line.length + 4) >= 0);
    const dropped = lines.length - shown.length;
    return dropped === 0 ? shown : [...shown, `… ${dropped} more lines`];
  };
  return Object.fromEntries(
    drift.map(({ what, want, is, detail }) => [
      what,
      detail === undefined ? `${want} → ${is}` : [`${want} → ${is}`, ...fitting(detail)],
    ]),
  );
}

function shortened(line: string, length: number): string {
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
