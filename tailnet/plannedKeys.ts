/** Which keys are registered in a run: those that are needed now, and those whose removal would be a change. */

import { type KnownKey } from "./classKeys";
import { type PolicyDecision } from "./decidePolicy";
import { type DnsMemory } from "./dns";
import { readLeniently } from "./hujson";
import { type Survey } from "./survey";

/** What the last finished run left in the stack's outputs. */
export interface TailnetMemory {
  /** Hosts whose join key is in the state; a used key stays there, since dropping it would be a change. */
  readonly joinKeys: readonly string[];
  readonly classKeys: readonly KnownKey[];
  readonly policy: { readonly foreign: string; readonly base: string | null } | null;
  /** null: they are nothing of ours. */
  readonly dns: DnsMemory | null;
}

export const NO_MEMORY: TailnetMemory = { joinKeys: [], classKeys: [], policy: null, dns: null };

/** How many resources the last finished run left at the API; deleting or changing them takes credentials. */
export function madeAtApi({ joinKeys, classKeys, policy, dns }: TailnetMemory): string[] {
  const keys = joinKeys.length + classKeys.length;
  return [
    ...(policy === null ? [] : ["the policy"]),
    ...(dns === null ? [] : ["the DNS settings"]),
    ...(keys === 0 ? [] : [`${keys} auth ${keys === 1 ? "key" : "keys"}`]),
  ];
}

/** The policy as it will be when keys are made; null where nobody can see it. */
export function policyAhead(survey: Survey, decision: PolicyDecision | null): string | null {
  if (decision?.kind === "write") return decision.text;
  return "value" in survey.policy ? survey.policy.value : null;
}

/** Why no key with these tags can be made; undefined where it can, as far as one can tell. */
export function whyNoKey(
  tags: readonly string[],
  survey: Survey,
  decision: PolicyDecision | null,
  managed: boolean,
): string | undefined {
  if ("why" in survey.keys) return survey.keys.why;
  const ahead = policyAhead(survey, decision);
  // Without the policy's scope a key may still be made.
  if (ahead === null) return managed && "why" in survey.policy ? survey.policy.why : undefined;
  const owners = tagOwners(ahead);
  const missing = tags.filter((tag) => owners[tag] === undefined);
  if (missing.length === 0) return undefined;
  if (decision?.kind === "held") return decision.why;
  return `the tailnet's policy names no owner for ${missing.join(", ")}`;
}

function tagOwners(policy: string): Readonly<Record<string, unknown>> {
  const { tagOwners: owners } = readLeniently(policy);
  return (owners ?? {}) as Record<string, unknown>;
}

/**
 * What keeps most OAuth clients from making keys, and shows only when they try.
 * @param tags of keys that are to be made
 * @param policy as it will be then
 */
export function clientWarnings(tags: readonly string[], policy: string | null): string[] {
  if (policy === null) return [];
  const owners = tagOwners(policy);
  const unowned = [...new Set(tags)].sort().filter((tag) => {
    const own = owners[tag];
    return !Array.isArray(own) || !own.some((one) => String(one).startsWith("tag:"));
  });
  if (unowned.length === 0) return [];
  return [
    `tailnet: no tag owns ${unowned.join(", ")}, and an OAuth client gives only tags that its own tag owns (or is): add that one to p2p:tailnet.policy.owners`,
  ];
}

/** Description of a key: 50 characters, letters, digits, hyphens and blanks (the API's rule). */
export function keyDescription(name: string, nonce: string): string {
  const time = nonce.replace(/[^0-9TZ]/g, "");
  return `p2p ${name.replace(/[^A-Za-z0-9-]/g, "-").slice(0, 29)} ${time}`.slice(0, 50);
}

const STAMP = /^\/\/ p2p-fleet: written .*\n/;

/** The text with the time of its writing on top: the same text wanted again is a change again. */
export function stamped(text: string, nonce: string): string {
  return `// p2p-fleet: written ${nonce}\n${text.replace(STAMP, "")}`;
}
