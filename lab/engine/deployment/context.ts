import { type Provider } from "../host/provider";
import { type Registry } from "../host/registry";
import { BUILT_IN_PACKAGE, providerPackage, urnType } from "../plan/urn";
import { providerUrn, type ResourceState } from "../state/resource";
import { type Snapshot } from "../state/snapshot";
import { type Events } from "./events";
import { type Limiter } from "./limiter";
import { type Outcome } from "./outcome";
import { type ValueMap } from "../../wire";

/** What the parts of one run share. */
export interface Context {
  readonly project: string;
  readonly stack: string;
  readonly isPreview: boolean;
  readonly continueOnError: boolean;
  /** Configuration values by `namespace:key`. */
  readonly config: Readonly<Record<string, string>>;
  readonly secretConfigKeys: readonly string[];
  /** The stack's outputs as they were when the run began. */
  readonly stackOutputs: ValueMap;
  readonly snapshot: Snapshot;
  readonly registry: Registry;
  readonly limiter: Limiter;
  readonly events: Events;
  readonly outcome: Outcome;
}

/** The provider a recorded resource belongs to, started from the state's own record if need be. */
export function providerOf(context: Context, state: ResourceState): Promise<Provider> {
  return context.registry.ensure(state.provider ?? "", context.snapshot.resources());
}

/** True when the engine itself stands in for the resource's provider. */
export function isBuiltIn(state: ResourceState): boolean {
  if (!state.provider) return false;
  return providerPackage(urnType(providerUrn(state.provider))) === BUILT_IN_PACKAGE;
}
