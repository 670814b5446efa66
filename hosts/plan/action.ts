/** Whether a host is deployed, and why (or why not). */

import { type Fleet, type Host, isLoopback } from "../fleet";
import { quote } from "../finding";
import { deadWord } from "../status";
import { type Action } from "./types";

export interface Decision {
  readonly action: Action;
  readonly reason: string;
}

/** @param controller the host on which the program runs, if it is one of the fleet's */
export function decideAction(name: string, fleet: Fleet, controller: string | undefined): Decision {
  const errors = fleet.refused.get(name);
  if (errors) return { action: "refused", reason: errors.join("; ") };
  const host = fleet.hosts.get(name);
  if (!host) return { action: "refused", reason: "not a mapping of keys" };
  const reason = skipReason(host, controller);
  return reason === undefined
    ? { action: "deploy", reason: deployReason(host) }
    : { action: "skip", reason };
}

/** Why the file wants the host left alone; the status wins over everything else. */
function skipReason(host: Host, controller: string | undefined): string | undefined {
  if (host.status.kind !== "active") return `status: ${host.status.word}`;
  if (host.p2pEnabled === undefined) return "p2p_enabled is not set";
  if (!host.p2pEnabled) return withNote("p2p_enabled: false", host);
  if (host.role === "proxy") return "role: proxy";
  if (host.ringriftPath === undefined) return "no ringrift_path: no checkout to run";
  if (isLoopback(host.ssh.host) && host.name !== controller)
    return "localhost: only from that machine itself (p2p:controller)";
  return undefined;
}

function deployReason(host: Host): string {
  return withNote(`status: ${host.status.word}`, host);
}

function withNote(reason: string, host: Host): string {
  const dead = deadWord(host.note);
  return dead === undefined ? reason : `${reason}; the note says ${quote(dead)}`;
}
