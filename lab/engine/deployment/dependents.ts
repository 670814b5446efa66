import { Unsupported } from "../errors";
import { applyReplaceOnChanges } from "../plan/decision";
import { dependentsOf } from "../plan/deletion";
import { isProviderType } from "../plan/urn";
import { providerUrn, type ResourceState } from "../state/resource";
import { providerOf, type Context } from "./context";
import { subjectOf } from "./steps";
import { UNKNOWN, type ValueMap } from "../../wire";

/**
 * The resources that must be deleted before `root` can be deleted first: those whose provider says that they would be
 * replaced if the properties that come from a replaced resource changed. In state order.
 * @param registered URNs that this run has already seen: they cannot depend on `root`, whose turn comes now
 */
export async function dependentReplacements(
  context: Context,
  root: ResourceState,
  registered: ReadonlySet<string>,
): Promise<ResourceState[]> {
  const states = context.snapshot.leftovers().filter((state) => !state.delete);
  const replaced = new Set([root.urn]);
  const result: ResourceState[] = [];
  for (const state of dependentsOf(root.urn, states)) {
    if (registered.has(state.urn) || !state.custom || state.external) continue;
    if (!(await mustReplace(context, state, replaced))) continue;
    replaced.add(state.urn);
    result.push(state);
  }
  return result;
}

async function mustReplace(
  context: Context,
  state: ResourceState,
  replaced: ReadonlySet<string>,
): Promise<boolean> {
  if (state.provider && replaced.has(providerUrn(state.provider))) return true;
  const touched = Object.entries(state.propertyDependencies ?? {}).filter(([, urns]) =>
    urns.some((urn) => replaced.has(urn)),
  );
  if (touched.length === 0) return false;
  if (isProviderType(state.type)) {
    throw new Unsupported(
      `deleting ${replacedList(replaced)} first, on which the provider ${state.urn} depends`,
    );
  }
  const inputs: ValueMap = { ...state.inputs };
  for (const [key] of touched) if (key in inputs) inputs[key] = UNKNOWN;
  const provider = await providerOf(context, state);
  const ignored = state.ignoreChanges ?? [];
  const diff = await context.limiter.run(() => provider.diff(subjectOf(state), inputs, ignored));
  return applyReplaceOnChanges(diff, state.replaceOnChanges ?? [], false).replaceKeys.length > 0;
}

function replacedList(replaced: ReadonlySet<string>): string {
  return [...replaced].join(", ");
}
