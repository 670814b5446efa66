import { type ValueMap } from "../../wire";

/** A resource as the state records it: the fields of the CLI's ResourceV3 that this engine reads or writes. */
export interface ResourceState {
  urn: string;
  custom: boolean;
  /** An old copy that a create-first replacement left behind, still to be deleted. */
  delete?: boolean;
  id?: string;
  type: string;
  inputs?: ValueMap;
  outputs?: ValueMap;
  parent?: string;
  protect?: boolean;
  /** Read, not owned. */
  external?: boolean;
  dependencies?: string[];
  /** Why a resource that exists is not initialised. */
  initErrors?: string[];
  /** `<provider urn>::<provider id>`. */
  provider?: string;
  propertyDependencies?: Record<string, string[]>;
  /** Already deleted by a delete-first replacement, and not yet created again. */
  pendingReplacement?: boolean;
  additionalSecretOutputs?: string[];
  aliases?: string[];
  customTimeouts?: CustomTimeouts;
  importID?: string;
  retainOnDelete?: boolean;
  created?: string;
  modified?: string;
  sourcePosition?: string;
  stackTrace?: unknown[];
  ignoreChanges?: string[];
  hideDiff?: unknown[];
  replaceOnChanges?: string[];
}

/** Seconds per kind of call; zero or missing means the provider's own default. */
export interface CustomTimeouts {
  create?: number;
  update?: number;
  delete?: number;
}

export type OperationType = "creating" | "updating" | "deleting" | "reading";

/** A provider call that was begun and not known to have ended. */
export interface Operation {
  resource: ResourceState;
  type: OperationType;
}

export const STACK_TYPE = "pulumi:pulumi:Stack";
export const STACK_REFERENCE_TYPE = "pulumi:pulumi:StackReference";

/** URNs this resource needs: its parent, its provider, and everything its inputs came from. */
export function dependenciesOf(state: ResourceState): Set<string> {
  const urns = new Set(state.dependencies ?? []);
  for (const list of Object.values(state.propertyDependencies ?? {})) {
    for (const urn of list) urns.add(urn);
  }
  if (state.parent) urns.add(state.parent);
  if (state.provider) urns.add(providerUrn(state.provider));
  urns.delete(state.urn);
  return urns;
}

/** The URN in a provider reference `<urn>::<id>`. */
export function providerUrn(reference: string): string {
  return reference.slice(0, reference.lastIndexOf("::"));
}

export function providerId(reference: string): string {
  return reference.slice(reference.lastIndexOf("::") + 2);
}
