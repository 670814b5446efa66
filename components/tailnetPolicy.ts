/** What a run does with the tailnet's policy, asked with the files and answers that the decision takes. */

import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { type FleetPlan } from "../hosts/plan/types";
import { type TailnetSettings } from "../settings/tailnet";
import { type TailnetApi } from "../tailnet/api";
import { decidePolicy, type PolicyDecision } from "../tailnet/decidePolicy";
import { PolicyTextError } from "../tailnet/hujson";
import { type PolicyPart } from "../tailnet/mergePolicy";
import { type TailnetMemory } from "../tailnet/plannedKeys";
import { policyPart } from "../tailnet/policy";
import { see, type Survey } from "../tailnet/survey";
import { fleetTags } from "../tailnet/tags";
import { type TailnetArgs } from "./tailnet";

export interface PolicyContext {
  readonly settings: TailnetSettings;
  readonly plan: FleetPlan;
  readonly previous: TailnetMemory;
  /** Tags that hosts' devices had in the last run, by host. */
  readonly deviceTags: Readonly<Record<string, readonly string[]>>;
}

/** @returns null where the policy is nobody's matter here, or cannot be seen */
export async function policyDecision(
  context: PolicyContext,
  survey: Survey,
  api: TailnetApi | null,
): Promise<PolicyDecision | null> {
  const decision = decide(context, survey);
  if (decision?.kind !== "write" || api === null) return decision;
  // A resource that fails ends the run for every host: what would be refused is not tried.
  const fault = await see(api.policyFault(decision.text));
  const why = "why" in fault ? fault.why : fault.value && `the Tailscale API says: ${fault.value}`;
  if (why === undefined) return decision;
  return {
    kind: "held",
    why: `the tailnet's policy cannot be written, and is left as it is: ${why}`,
  };
}

function decide(context: PolicyContext, survey: Survey): PolicyDecision | null {
  const { settings, previous } = context;
  const { manage, base: path, existing } = settings.policy;
  if (!manage || "why" in survey.policy) return null;
  const orphaned = tagsOfRefused(context);
  if (orphaned !== undefined) return { kind: "held", why: orphaned };
  try {
    const base = path === null ? null : { text: readBase(path), path };
    const live = survey.policy.value;
    return decidePolicy({ live, base, part: partOf(context), existing, last: previous.policy });
  } catch (error) {
    if (error instanceof PolicyTextError || isFileError(error))
      return { kind: "held", why: `${error.message}; the tailnet's policy is left as it is` };
    throw error;
  }
}

/** A refused host is left alone: tags that only such hosts have would go, and their devices would be cut off. */
function tagsOfRefused({ plan, deviceTags, previous }: PolicyContext): string | undefined {
  if (previous.policy === null) return undefined;
  const wanted = new Set(fleetTags(plan));
  const hosts = [...plan.hosts.values()].filter(
    ({ name, action }) =>
      action === "refused" && (deviceTags[name] ?? []).some((tag) => !wanted.has(tag)),
  );
  if (hosts.length === 0) return undefined;
  const names = hosts.map(({ name }) => name).join(", ");
  return `nobody else has a tag of ${names}, which the inventory is wrong about: the tailnet's policy is left as it is until the file is mended`;
}

/** Windows editors put a byte order mark before the text, which HuJSON does not know. */
function readBase(path: string): string {
  const bytes = readFileSync(path);
  if (!isUtf8(bytes)) throw new PolicyTextError(`${path} is not UTF-8 text`);
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

function isFileError(error: unknown): error is Error {
  return error instanceof Error && "code" in error;
}

function partOf({ settings, plan }: PolicyContext): PolicyPart {
  return policyPart(plan, {
    ...settings.policy,
    morePorts: [],
    moreTags: Object.keys(settings.classes).map((name) => `tag:${name}`),
  });
}

/** The policy's resource. */
export function policyArgs(
  { settings, previous }: PolicyContext,
  survey: Survey,
  decision: PolicyDecision | null,
): TailnetArgs["policy"] {
  if (decision?.kind === "write") return decision;
  const live = "value" in survey.policy ? survey.policy.value : "{}";
  if (decision?.kind === "in-order") return { kind: "keep", text: live };
  // Held, or nobody could look: what stands in the state stays there.
  const stays = settings.policy.manage && previous.policy !== null;
  return stays ? { kind: "keep", text: live } : null;
}
