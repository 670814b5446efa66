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
  // A default provider's empty `__internal` note, which the CLI writes in some runs and not in others.
  (object) => without(object, "__internal"),
  // Aliases of a planned resource: the SDK resolves them before the embedded engine sees a registration.
  (object) => without(object, "aliases"),
];

/** Both sides with the differences on purpose taken out. */
export function allowDifferences(
  expected: readonly Observation[],
  actual: readonly Observation[],
): { expected: unknown; actual: unknown } {
  const allow = (value: unknown) => onlyReal.reduce((done, change) => rewrite(done, change), value);
  return { expected: allow(expected), actual: allow(actual) };
}
