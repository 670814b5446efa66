/** Who may vote, who can, and how far that is from the quorum. */

import { type Fleet } from "../fleet";
import { type Decision } from "./action";
import { type VoterPlan } from "./types";

/** floor(n / 2) + 1: the daemon's own `voter_quorum_ok` is true whatever happens, so we count ourselves. */
export function quorumOf(declared: number): number {
  return Math.floor(declared / 2) + 1;
}

/** `p2p_voters` without duplicates, sorted; where the key is absent, hosts with the old `p2p_voter: true`. */
export function declaredVoters(fleet: Pick<Fleet, "voters" | "hosts">): string[] {
  const declared =
    fleet.voters?.map((voter) => voter.node) ??
    [...fleet.hosts.values()].filter((host) => host.voterFlag).map((host) => host.name);
  return [...new Set(declared)].sort();
}

/** Why a declared voter cannot vote; undefined where it can. */
function rejection(
  node: string,
  decisions: ReadonlyMap<string, Decision>,
  isReachable: (node: string) => boolean,
): string | undefined {
  const decision = decisions.get(node);
  if (!decision) return "no such host";
  if (decision.action === "refused") return `refused: ${decision.reason}`;
  if (decision.action === "skip")
    return decision.reason.startsWith("localhost") ? "localhost, unroutable" : decision.reason;
  return isReachable(node) ? undefined : "unroutable: no tailnet address, tunnel or public address";
}

/** @param isReachable whether others have a way to a deployed host */
export function planVoters(
  fleet: Fleet,
  decisions: ReadonlyMap<string, Decision>,
  isReachable: (node: string) => boolean,
): VoterPlan {
  const declared = declaredVoters(fleet);
  const rejected = declared.flatMap((node) => {
    const reason = rejection(node, decisions, isReachable);
    return reason === undefined ? [] : [{ node, reason }];
  });
  const out = new Set(rejected.map(({ node }) => node));
  const effective = declared.filter((node) => !out.has(node));
  const quorum = quorumOf(declared.length);
  return { declared, effective, rejected, quorum, margin: effective.length - quorum };
}
