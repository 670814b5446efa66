/** The cluster token as the program meets it: what every daemon is to require, and what people are told of it. */

import * as pulumi from "@pulumi/pulumi";
import { ConfigError, type FleetConfig } from "../config";
import { matchesLimit } from "../converge/limit";
import { decideToken, type TokenDecision, type TokenHolder } from "../converge/token";
import { factsOf } from "../converge/work";
import { isLoopback } from "../hosts/fleet";
import { type FleetPlan } from "../hosts/plan/types";
import { type ProbeResult } from "../probe/types";
import { type Facts } from "../payload/facts";
import { clusterTokenPath } from "../payload/names";
import { type ActivateSpec } from "../payload/spec";
import { keyedSecret } from "./secretText";
import { type Wish, type WishOptions, withTokens } from "./tasks";
import { listenOf } from "./warnings";

/**
 * The fleet's token; null: there is none.
 * @throws ConfigError where it cannot be the value of a header as it stands, without a word of it
 */
export async function tokenOf({ clusterToken }: Pick<FleetConfig, "clusterToken">) {
  if (!clusterToken) return null;
  const token = await keyedSecret(clusterToken, "p2p cluster token");
  const mistake = mistakeOf(token.text);
  if (mistake === undefined) return token;
  throw new ConfigError(`p2p:clusterToken: ${mistake}. A good one: openssl rand -hex 32`);
}

/** Longer ones do not fit a header beside the others; guessing shorter ones takes no time. */
const [SHORTEST, LONGEST] = [8, 4096];

/** The daemon compares it with a header's value, from which blanks around it are gone. */
export function mistakeOf(token: string): string | undefined {
  if (token.trim() === "") return "it is blank";
  if (/^\s|\s$/.test(token)) return "it has a blank or a line's end before or after it";
  if (!/^[\x21-\x7e]+$/.test(token))
    return "only visible ASCII characters without blanks can be sent";
  if (token.length < SHORTEST)
    return `it has fewer than ${SHORTEST} characters, and can be guessed`;
  return token.length > LONGEST ? `it has more than ${LONGEST} characters` : undefined;
}

export interface SettledToken {
  readonly wishes: readonly Wish[];
  /** Daemons that are to require another token change together. */
  readonly atOnce: boolean;
  /** Hosts for which the others wait. */
  readonly missing: readonly string[];
}

/** What the report says of such a host. */
export const TOKEN_MISSING =
  "the cluster token is not here yet, so p2p:requireAuth waits for this host";

/** What was wished for with the wanted token everywhere, as far as the whole fleet can have it. */
export function settleToken(
  wishes: readonly Wish[],
  probes: ReadonlyMap<string, ProbeResult>,
  plan: FleetPlan,
  options: WishOptions,
): SettledToken {
  const { token, config } = options;
  const wanted = config.requireAuth ? (token?.digest ?? null) : null;
  const decision = decideToken(wanted, tokenHolders(wishes, probes, token?.digest ?? "", config));
  for (const note of tokenNotes(decision, config)) void pulumi.log.warn(note);
  const atOnce = decision.change === "at once";
  const { required, missing } = decision;
  if ([...required.values()].every((digest) => digest === wanted))
    return { wishes, atOnce, missing };
  const requiredToken = (node: string) => required.get(node) ?? null;
  return {
    wishes: withTokens(wishes, plan, probes, { ...options, requiredToken }),
    atOnce,
    missing,
  };
}

/** What a run says of the switch before it makes it. */
export function tokenNotes(
  { change, missing, withoutForwarder }: TokenDecision,
  { paths }: Pick<FleetConfig, "paths">,
): string[] {
  const waits =
    missing.length === 0
      ? []
      : [`p2p:requireAuth waits for hosts that do not have the token yet: ${missing.join(", ")}`];
  if (change !== "at once") return waits;
  const [why, instead] =
    paths === null
      ? ["p2p:paths is off", ": set p2p:fleetSecret and p2p:paths.enabled in a run before"]
      : [`there is no path forwarder that hands it on at ${withoutForwarder.join(", ")}`, ""];
  return [
    ...waits,
    `the cluster token is switched by all daemons at once, since ${why}: for the seconds of that restart the voters ` +
      `have no quorum, and no node a peer; with a forwarder on every host it goes in waves, and nobody notices${instead}`,
  ];
}

/** What every deployed host can have of the fleet's token, and requires now. */
export function tokenHolders(
  wishes: readonly Wish[],
  probes: ReadonlyMap<string, ProbeResult>,
  digest: string,
  { limit }: Pick<FleetConfig, "limit">,
): TokenHolder[] {
  return wishes
    .filter((wish) => wish.activate.state === "present")
    .map(({ name, activate }) => {
      const probe = probes.get(name);
      const facts = factsOf(probe);
      const found = facts?.secrets[clusterTokenPath(digest)];
      const isRunning = facts !== undefined && facts.release.current !== null;
      return {
        name,
        canHave: facts !== undefined && (found?.digest === digest || matchesLimit(name, limit)),
        requires: isRunning ? facts.release.requires : undefined,
        lends: facts !== undefined && lendsToken(activate, facts),
      };
    });
}

/** Nobody gets to its daemon past a forwarder that lends the token, before the run and after it. */
function lendsToken(spec: ActivateSpec, { paths, listening }: Facts): boolean {
  if (spec.state !== "present" || paths?.lendsToken !== true) return false;
  const open = listening.filter(({ port }) => port === spec.health.port);
  return isLoopback(listenOf(spec)) && open.every(({ address }) => isLoopback(address));
}
