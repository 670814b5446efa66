import { type Json, legible, normaliseResource } from "./state";

/** What `preview --json` plans, without times, ids and what stays the same. */
export interface PreviewSummary {
  readonly steps: Json[];
  readonly changeSummary: unknown;
}

interface Digest {
  readonly steps?: Json[];
  readonly changeSummary?: unknown;
}

/** Reads `preview --json`'s text. Unchanged resources are in the summary's counts only, as with the CLI. */
export function normalisePreview(text: string): PreviewSummary {
  const digest = JSON.parse(text) as Digest;
  const changing = (digest.steps ?? []).filter((step) => step["op"] !== "same");
  const steps = changing.map((step) => {
    const { op, urn, newState, replaceReasons, diffReasons } = legible(step) as Json;
    return {
      op,
      urn,
      ...(newState ? { new: normaliseResource(newState as Json) } : {}),
      ...(replaceReasons ? { replaceReasons: [...(replaceReasons as string[])].sort() } : {}),
      ...(diffReasons ? { diffReasons: [...(diffReasons as string[])].sort() } : {}),
    };
  });
  const key = (step: Json) => `${String(step["urn"])} ${String(step["op"])}`;
  return {
    steps: steps.sort((a, b) => (key(a) < key(b) ? -1 : 1)),
    changeSummary: digest.changeSummary ?? {},
  };
}
