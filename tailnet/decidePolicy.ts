/** What is done with the tailnet's policy: nothing, a write, or a message to a person. Pure. */

import { createHash } from "node:crypto";
import { BASE_POLICY, isUntouched } from "./basePolicy";
import { failingTests } from "./evaluate";
import { formatDigest, readPolicy } from "./hujson";
import { foreignPart, isOurs, mergePolicy, type PolicyPart, strangeOwners } from "./mergePolicy";

/** Name of the live policy in messages. */
export const LIVE = "the tailnet's policy";

export interface PolicyQuestion {
  /** The policy as the tailnet has it now. */
  readonly live: string;
  /** The team's own base policy; null: the live one is the base. */
  readonly base: { readonly text: string; readonly path: string } | null;
  readonly part: PolicyPart;
  /** What to do with a policy that somebody else wrote. */
  readonly existing: "refuse" | "adopt" | "overwrite";
  /** What the last finished run left there; null where that is not known. */
  readonly last: PolicyMemory | null;
}

export interface PolicyMemory {
  /** `foreignDigest` of the policy as it was written. */
  readonly foreign: string;
  /** `formatDigest` of the base; null without one. */
  readonly base: string | null;
}

export type PolicyDecision =
  | { readonly kind: "in-order"; readonly memory: PolicyMemory; readonly notes: readonly string[] }
  | {
      readonly kind: "write";
      readonly text: string;
      /** False: the API refuses unless the tailnet's policy is still the untouched one. */
      readonly overwrite: boolean;
      readonly memory: PolicyMemory;
      readonly notes: readonly string[];
    }
  /** Nothing is written: why, and what to do. */
  | { readonly kind: "held"; readonly why: string };

/** @throws PolicyTextError when a text cannot be read */
export function decidePolicy(question: PolicyQuestion): PolicyDecision {
  const { live, part } = question;
  const start = startOf(question);
  if ("why" in start) return { kind: "held", why: start.why };
  const text = mergePolicy(start.text, part, start.name);
  const tests = part.tests.map(({ value }) => value);
  const breaches = failingTests(text, tests, start.name);
  if (breaches.length > 0) {
    const told = breaches.slice(0, 3).map(({ what, rule }) => (rule ? `${what} by ${rule}` : what));
    const more = breaches.length > 3 ? `, and ${breaches.length - 3} more` : "";
    return {
      kind: "held",
      why: `${start.name} would fail the fleet's tests: ${told.join("; ")}${more}; narrow those rules, nothing was written`,
    };
  }
  const memory = {
    foreign: digest(foreignPart(text, part, start.name)),
    base: question.base && formatDigest(question.base.text),
  };
  const same =
    text === live ||
    (mergePolicy(live, part, LIVE) === live &&
      memory.foreign === digest(foreignPart(live, part, LIVE)) &&
      (question.last === null || question.last.base === memory.base));
  const notes = [...start.notes, ...strangeOwners(start.text, part, start.name)];
  if (same) return { kind: "in-order", memory, notes };
  notes.push(...closingNotes(start));
  return { kind: "write", text, overwrite: start.overwrite, memory, notes };
}

/** Without rules a policy allows everything (tailscale.com/kb/1018/acls), and ours end that. */
function closingNotes({ text, name }: { readonly text: string; readonly name: string }): string[] {
  const { grants, acls } = readPolicy(text, name);
  if (grants !== undefined || acls !== undefined) return [];
  return [
    `${name} has neither grants nor acls, which lets everybody reach everything: with the fleet's grants in it only what it names is open`,
  ];
}

type Start =
  | {
      readonly text: string;
      readonly name: string;
      readonly overwrite: boolean;
      readonly notes: readonly string[];
    }
  | { readonly why: string };

/** The text that our part is merged into. */
function startOf({ live, base, part, existing, last }: PolicyQuestion): Start {
  const fromLive = { text: live, name: LIVE, overwrite: true, notes: [] };
  const fromBase = base && { text: base.text, name: base.path, overwrite: true, notes: [] };
  if (isUntouched(live)) {
    if (fromBase) return { ...fromBase, overwrite: false };
    return { text: BASE_POLICY, name: "the built-in base policy", overwrite: false, notes: [] };
  }
  // Marks are comments, which somebody may have stripped: a policy that holds all of ours is ours too.
  if (!isOurs(live, LIVE) && mergePolicy(live, part, LIVE) !== live) {
    if (existing === "adopt" || (existing === "overwrite" && !fromBase)) return fromLive;
    if (existing === "overwrite" && fromBase) return fromBase;
    return {
      why: "the tailnet has a policy that somebody else wrote; nothing was written: set p2p:tailnet policy.existing to adopt (ours is merged into it) or overwrite (policy.base replaces it)",
    };
  }
  if (!fromBase) return fromLive;
  const liveDigest = digest(foreignPart(live, part, LIVE));
  const isAsBase = liveDigest === digest(foreignPart(base.text, part, base.path));
  if (isAsBase || existing === "overwrite" || last?.foreign === liveDigest) return fromBase;
  if (last?.base === formatDigest(base.text)) {
    const note = `the tailnet's policy was edited by hand, and that is kept: take it over into ${base.path}, or the next edit of that file waits`;
    return { ...fromLive, notes: [note] };
  }
  return {
    why: `${LIVE} and ${base.path} were both edited since the last run; nothing was written: take the edits over into the file, then run once with policy.existing set to overwrite`,
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
