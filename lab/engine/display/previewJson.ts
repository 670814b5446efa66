import { type StepEvent } from "../deployment/events";
import { writeResource } from "../state/checkpoint";
import { type ResourceState } from "../state/resource";
import { type RunRecord } from "./record";
import { isChange } from "./words";
import { blindMap } from "../wire/compare";

/** The text of `pulumi preview --json`: the CLI's PreviewDigest (pkg/display/json.go), secrets blinded. */
export function previewDigest(
  record: RunRecord,
  config: { values: Readonly<Record<string, string>>; secretKeys: readonly string[] },
  now: number,
): string {
  const diagnostics = record.diagnostics.map(({ urn, message, severity }) => {
    const prefix = severity === "info" ? "" : `${severity}: `;
    return { urn, message: `${prefix}${message.trimEnd()}\n`, severity };
  });
  const isEmpty = Object.keys(config.values).length === 0;
  const digest = {
    config: isEmpty ? undefined : blindConfig(config),
    steps: record.steps.filter(isChange).map(stepDigest),
    diagnostics: diagnostics.length > 0 ? diagnostics : undefined,
    // The CLI prints a Go duration: nanoseconds.
    duration: Math.max(1, now - record.startedAt) * 1_000_000,
    changeSummary: withReads(record),
  };
  return JSON.stringify(digest, null, 4);
}

/** The CLI counts reads here, and nowhere else. */
function withReads({ counts, steps }: RunRecord): object {
  const read = steps.filter((step) => step.op === "read").length;
  return read > 0 ? { ...counts, read } : counts;
}

function stepDigest(step: StepEvent): object {
  const detailed = step.diff?.detailed;
  const changed = step.diff?.changedKeys ?? [];
  const replaces = step.diff?.replaceKeys ?? [];
  return {
    op: step.op,
    urn: step.urn,
    provider: step.provider || undefined,
    oldState: step.old && stateDigest(step.old),
    // What a read found is not part of the plan.
    newState:
      step.next && stateDigest(step.op === "read" ? { ...step.next, outputs: {} } : step.next),
    diffReasons: changed.length > 0 ? changed : undefined,
    replaceReasons: replaces.length > 0 ? replaces : undefined,
    detailedDiff: detailed ?? null,
  };
}

function stateDigest(state: ResourceState): object {
  const blinded = {
    ...state,
    inputs: state.inputs && blindMap(state.inputs),
    outputs: state.outputs && blindMap(state.outputs),
  };
  return JSON.parse(writeResource(blinded, (value) => value)) as object;
}

function blindConfig(config: {
  values: Readonly<Record<string, string>>;
  secretKeys: readonly string[];
}): Record<string, string> {
  const entries = Object.entries(config.values).map(([key, value]) => {
    return [key, config.secretKeys.includes(key) ? "[secret]" : value] as const;
  });
  return Object.fromEntries(entries);
}
