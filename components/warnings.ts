/** What people are told about a host beside what is done to it. Pure. */

import { type Work } from "../converge/work";
import { isLoopback } from "../hosts/fleet";
import { type Facts } from "../payload/facts";
import { type ActivatePresent, type ActivateSpec, type PrepareSpec } from "../payload/spec";
import { tailnetNotes } from "../payload/tailnetJoin";

/** What a host is asked for. */
export interface Asked {
  readonly prepare: PrepareSpec;
  readonly activate: ActivateSpec;
}

/** Why something waits, and what is odd about a host though it does what it should. */
export function warningsOf(
  works: readonly Work[],
  asked: Asked,
  facts: Facts | undefined,
): string[] {
  const waiting = works.flatMap((work) =>
    work.kind === "waiting" ? [`${work.why}; left as it is, and owed`] : [],
  );
  return [...new Set([...waiting, ...notesOf(asked, facts)])];
}

/** What people should know about a host though it does what it should. */
export function notesOf(asked: Asked, facts: Facts | undefined): string[] {
  if (!facts) return [];
  const { service, competitors } = facts;
  return [
    ...(service !== null && service.boot === null && service.state !== "absent"
      ? ["not started at boot: there is no start script"]
      : []),
    ...competitors.map(({ kind, id }) => `competes for the daemon: ${kind} ${id}`),
    ...firewallNotes(asked, facts),
  ];
}

function firewallNotes({ prepare, activate }: Asked, { firewall }: Facts): string[] {
  if (firewall === null || prepare.state !== "present" || activate.state !== "present") return [];
  if (firewall.able)
    return firewall.managers.map(
      (name) =>
        `${name} is active too: it has to let in whoever p2p:firewall lets in, for ours only takes away`,
    );
  const listen = listenOf(activate);
  if (isLoopback(listen))
    return [
      "no firewall of ours: this container may not have one (CAP_NET_ADMIN is missing); its daemon is reached over " +
        "the loopback alone, that is over the tailnet in userspace mode, its tunnel or the path forwarder; the daemon's " +
        "health port (its own + 2) stays open, and tells whoever reaches the container its name, role and uptime",
    ];
  // What the plan took for closed; where no rules are wanted, a finding of the inventory says it.
  const port = activate.health.port;
  return prepare.firewall === null
    ? []
    : [`exposed: port ${port} listens on ${listen}, and this container may not have a firewall`];
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

/** The address that the daemon is started with. */
export function listenOf({ release }: Pick<ActivatePresent, "release">): string {
  const { argv } = release.launch;
  return argv[argv.indexOf("--host") + 1] ?? "";
}
