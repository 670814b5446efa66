import { type Observation } from "./observe";
import { type Json } from "./state";

/** Rewrites every object of a JSON value, innermost first. */
function rewrite(value: unknown, change: (object: Json) => Json): unknown {
  if (Array.isArray(value)) return value.map((item) => rewrite(item, change));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, rewrite(item, change)]);
  return change(Object.fromEntries(entries) as Json);
}

const without = (object: Json, key: string): Json =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));

/**
 * What the real CLI keeps or shows and the embedded engine does not, on purpose; docs/engine.md has each
 * with its reason.
 */
const onlyReal: ((object: Json) => Json)[] = [
  // A provider's empty `__internal` note, which the CLI writes in some runs and not in others.
  (object) => without(object, "__internal"),
  // A note of the framework that the official command plugin is built with.
  (object) => without(object, "__pulumi-go-provider-version"),
  // The id of a provider that is to be replaced: unknown as every id in a plan.
  (object) => (object["id"] === "<unknown>" ? without(object, "id") : object),
  // Aliases of a planned resource: the SDK resolves them before the embedded engine sees a registration.
  (object) => without(object, "aliases"),
];

/**
 * With --continue-on-error the CLI checks the inputs of a resource before it skips it because of a failed
 * one; the embedded engine skips it at once.
 */
function withoutChecksOfSkipped(observation: Observation): Observation {
  if (!observation.command.includes("--continue-on-error")) return observation;
  const isOnlyChecked = (calls: unknown[]) =>
    calls.every((call) => (call as Json)["call"] === "check");
  const calls = Object.entries(observation.calls).filter(([, made]) => !isOnlyChecked(made));
  return { ...observation, calls: Object.fromEntries(calls) };
}

/**
 * A delete-first replacement that an earlier run left half-way: the CLI still compares the thing with its
 * deleted old self; the embedded engine makes the new one.
 */
function withoutLookAtDeleted(
  observation: Observation,
  before: Observation | undefined,
): Observation {
  const deleted = (before?.state.resources ?? []).filter((one) => one["pendingReplacement"]);
  const names = deleted.map(({ urn }) => String(urn).split("::").at(-1));
  const isLook = (call: unknown) => {
    const { call: method, olds } = call as Json;
    return method === "diff" || (method === "check" && JSON.stringify(olds) !== "{}");
  };
  const calls = Object.entries(observation.calls).map(([name, made]) => [
    name,
    names.includes(name) ? made.filter((call) => !isLook(call)) : made,
  ]);
  return { ...observation, calls: Object.fromEntries(calls) as Observation["calls"] };
}

const isUnknown = (value: unknown) => JSON.stringify(value).includes("<unknown>");

/** Names of the stack outputs that the CLI stored as the marker for unknown values, per observation. */
function unknownOutputs(observation: Observation): string[] {
  const stack = observation.state.resources.find(({ type }) => type === "pulumi:pulumi:Stack");
  const outputs = Object.entries((stack?.["outputs"] as Json | undefined) ?? {});
  return outputs.filter(([, value]) => isUnknown(value)).map(([key]) => key);
}

/**
 * An output that a failed run could not compute is stored by the CLI as the marker for unknown values; the
 * embedded engine keeps what it was before.
 */
function withoutStackOutputs(observation: Observation, names: readonly string[]): Observation {
  if (names.length === 0) return observation;
  const resources = observation.state.resources.map((resource) => {
    if (resource["type"] !== "pulumi:pulumi:Stack") return resource;
    return { ...resource, outputs: names.reduce(without, (resource["outputs"] ?? {}) as Json) };
  });
  return { ...observation, state: { ...observation.state, resources } };
}

/**
 * The embedded engine masks a secret wherever it is shown, also where the program gave the same text openly;
 * in the plan the CLI masks the marked place only.
 */
function maskedAlike(expected: unknown, actual: unknown): unknown {
  if (actual === "[secret]" && typeof expected === "string") return actual;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return expected.map((item, index) => maskedAlike(item, actual[index]));
  }
  if (typeof expected !== "object" || expected === null) return expected;
  if (typeof actual !== "object" || actual === null) return expected;
  const entries = Object.entries(expected);
  return Object.fromEntries(
    entries.map(([key, item]) => [key, maskedAlike(item, (actual as Json)[key])]),
  );
}

/** Both sides with the differences on purpose taken out. */
export function allowDifferences(
  expected: readonly Observation[],
  actual: readonly Observation[],
): { expected: unknown; actual: unknown } {
  const lost = expected.map(unknownOutputs);
  const masked = expected.map((observation, index) => ({
    ...observation,
    preview: maskedAlike(observation.preview, actual[index]?.preview) as Observation["preview"],
  }));
  const allow = (observations: readonly Observation[]) =>
    onlyReal.reduce<unknown>(
      rewrite,
      observations
        .map((observation, index) => withoutLookAtDeleted(observation, observations[index - 1]))
        .map(withoutChecksOfSkipped)
        .map((observation, index) => withoutStackOutputs(observation, lost[index] ?? [])),
    );
  return { expected: allow(masked), actual: allow(actual) };
}
