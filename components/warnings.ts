/** What people are told about a host beside what is done to it. Pure. */

import { type Work } from "../converge/work";
import { isLoopback } from "../hosts/fleet";
import { type Facts } from "../payload/facts";
import { type ActivatePresent, type ActivateSpec, type PrepareSpec } from "../payload/spec";
import { tailnetNotes } from "../payload/tailnetJoin";

/** Why something waits, and what is odd about a host though it does what it should. */
export function warningsOf(works: readonly Work[], facts: Facts | undefined): string[] {
  const waiting = works.flatMap((work) =>
    work.kind === "waiting" ? [`${work.why}; left as it is, and owed`] : [],
  );
  return [...new Set([...waiting, ...notesOf(facts)])];
}

/** What people should know about a host though it does what it should. */
export function notesOf(facts: Facts | undefined): string[] {
  if (!facts) return [];
  const { service, competitors } = facts;
  return [
    ...(service !== null && service.boot === null && service.state !== "absent"
      ? ["not started at boot: there is no start script"]
      : []),
    ...competitors.map(({ kind, id }) => `competes for the daemon: ${kind} ${id}`),
    ...firewallNotes(facts),
  ];
}

function firewallNotes({ firewall }: Facts): string[] {
  if (firewall === null) return [];
  if (!firewall.able)
    return [
      "no firewall of ours: this container may not have one (CAP_NET_ADMIN is missing); its daemon is reached over " +
        "the loopback alone, that is over the tailnet in userspace mode, its tunnel or the path forwarder; the daemon's " +
        "health port (its own + 2) stays open, and tells whoever reaches the container its name, role and uptime",
    ];
  return firewall.managers.map(
    (name) =>
      `${name} is active too: it has to let in whoever p2p:firewall lets in, for ours only takes away`,
  );
}

/** The join's own difference is a secret as a whole, so it is told here. */
export function joinWarnings(work: Work, facts: Facts): string[] {
  const drift = work.kind === "needed" && facts.tailnet?.joined ? work.drift : [];
  return [
    ...(work.kind === "waiting" && work.cause === "held" ? [work.why] : []),
    ...drift.map(({ what, want, is }) => `${what}: ${want} → ${is}`),
    ...tailnetNotes(facts),
  ];
}

/** What the plan took for closed and turned out not to be; what it knew is a finding of the inventory. */
export function exposureWarnings(
  { prepare, activate }: { readonly prepare: PrepareSpec; readonly activate: ActivateSpec },
  facts: Facts | undefined,
): string[] {
  if (prepare.state !== "present" || activate.state !== "present") return [];
  const listen = listenOf(activate);
  if (prepare.firewall === null || isLoopback(listen)) return [];
  if (facts?.firewall?.able !== false) return [];
  const port = activate.health.port;
  return [`exposed: port ${port} listens on ${listen}, and this container may not have a firewall`];
}

/** The address that the daemon is started with. */
export function listenOf({ release }: Pick<ActivatePresent, "release">): string {
  const { argv } = release.launch;
  return argv[argv.indexOf("--host") + 1] ?? "";
}
