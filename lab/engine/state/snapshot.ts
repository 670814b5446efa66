import { type Deployment } from "./checkpoint";
import {
  dependenciesOf,
  providerId,
  providerUrn,
  type Operation,
  type OperationType,
  type ResourceState,
} from "./resource";
import { equalValues, type ValueMap } from "../../wire";

/**
 * The state while a run goes on: the resources as they were, those already settled in this run, and the provider
 * calls in flight. It decides what has to be written; `persist` writes it (not in a preview).
 *
 * New resources come first, in the order in which they were settled, which is dependency order; what was not yet
 * seen again follows in its old order.
 */
export class Snapshot {
  /** The state of every URN at the start, without copies that wait for deletion. */
  readonly olds = new Map<string, ResourceState>();
  private readonly base: ResourceState[];
  private readonly gone = new Set<ResourceState>();
  private readonly settled: ResourceState[] = [];
  private readonly operations: Set<Operation>;

  constructor(
    deployment: Deployment,
    private readonly persist: (snapshot: Snapshot) => Promise<void>,
  ) {
    this.base = [...deployment.resources];
    this.operations = new Set(deployment.pendingOperations);
    for (const state of this.base) if (!state.delete) this.olds.set(state.urn, state);
  }

  /** Everything the stack holds at this moment. */
  resources(): ResourceState[] {
    return [...this.settled, ...this.base].filter((state) => !this.gone.has(state));
  }

  pendingOperations(): Operation[] {
    return [...this.operations];
  }

  /** What is left of the beginning: neither settled again nor deleted. */
  leftovers(): ResourceState[] {
    return this.base.filter((state) => !this.gone.has(state));
  }

  /** Records that a provider is about to be called, before it is. */
  async begin(type: OperationType, resource: ResourceState): Promise<Operation> {
    const operation: Operation = { type, resource };
    this.operations.add(operation);
    await this.persist(this);
    return operation;
  }

  /** Ends an operation and applies its outcome in the same write. */
  async end(operation: Operation | undefined, change: () => void): Promise<void> {
    if (operation) this.operations.delete(operation);
    change();
    await this.persist(this);
  }

  /** Operations that an earlier run left open on this URN. */
  openOperations(urn: string, type: OperationType): Operation[] {
    return [...this.operations].filter(
      (operation) => operation.resource.urn === urn && operation.type === type,
    );
  }

  /** Puts `next` in the place of `old`. */
  replace(old: ResourceState | undefined, next: ResourceState): void {
    if (old) this.gone.add(old);
    this.settled.push(next);
    if (old && old.urn !== next.urn) this.rename(old.urn, next.urn);
  }

  /** Takes in a resource that an interrupted run made and could not record. */
  adopt(state: ResourceState): void {
    this.base.push(state);
    if (!state.delete) this.olds.set(state.urn, state);
  }

  /** What is left of the beginning must not refer to a name that is no longer there. */
  private rename(from: string, to: string): void {
    for (const state of this.leftovers()) {
      if (dependenciesOf(state).has(from)) this.change(state, renamed(state, from, to));
    }
  }

  remove(state: ResourceState): void {
    this.gone.add(state);
  }

  /** Adds a copy that waits for deletion, as a create-first replacement leaves it. */
  keepForDeletion(state: ResourceState): ResourceState {
    return this.change(state, { delete: true });
  }

  /** Changes a resource in its place. States are never mutated, because their texts are cached by identity. */
  change(state: ResourceState, fields: Partial<ResourceState>): ResourceState {
    const next = { ...state, ...fields };
    for (const list of [this.settled, this.base]) {
      const index = list.indexOf(state);
      if (index >= 0) list[index] = next;
    }
    if (this.olds.get(state.urn) === state) this.olds.set(state.urn, next);
    return next;
  }

  /** An unchanged resource takes its place among the settled ones; written only if its record differs. */
  async same(old: ResourceState, next: ResourceState): Promise<void> {
    this.replace(old, next);
    if (mustWrite(old, next)) await this.persist(this);
  }

  async setOutputs(state: ResourceState, outputs: ValueMap): Promise<ResourceState> {
    if (equalValues(state.outputs ?? {}, outputs)) return state;
    const next = this.change(state, { outputs });
    await this.persist(this);
    return next;
  }
}

function renamed(state: ResourceState, from: string, to: string): Partial<ResourceState> {
  const swap = (urn: string): string => (urn === from ? to : urn);
  const lists = Object.entries(state.propertyDependencies ?? {});
  return {
    parent: state.parent && swap(state.parent),
    dependencies: state.dependencies?.map(swap),
    propertyDependencies: Object.fromEntries(lists.map(([key, urns]) => [key, urns.map(swap)])),
    provider:
      state.provider && providerUrn(state.provider) === from
        ? `${to}::${providerId(state.provider)}`
        : state.provider,
  };
}

/** Whether an unchanged resource's record has to be written all the same (the CLI's rule). */
export function mustWrite(old: ResourceState, next: ResourceState): boolean {
  return (
    old.urn !== next.urn ||
    old.type !== next.type ||
    old.custom !== next.custom ||
    (old.retainOnDelete ?? false) !== (next.retainOnDelete ?? false) ||
    (old.protect ?? false) !== (next.protect ?? false) ||
    (old.provider ?? "") !== (next.provider ?? "") ||
    (old.parent ?? "") !== (next.parent ?? "") ||
    JSON.stringify(old.customTimeouts ?? {}) !== JSON.stringify(next.customTimeouts ?? {}) ||
    !sameSet(old.dependencies, next.dependencies) ||
    !equalValues(old.inputs ?? {}, next.inputs ?? {}) ||
    !equalValues(old.outputs ?? {}, next.outputs ?? {})
  );
}

function sameSet(a: string[] = [], b: string[] = []): boolean {
  return a.length === b.length && [...a].sort().join("\n") === [...b].sort().join("\n");
}
