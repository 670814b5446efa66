import { crashPoint } from "../crashPoint";
import { type Diff } from "../plan/decision";
import { isProviderType } from "../plan/urn";
import { type Operation, type OperationType, type ResourceState } from "../state/resource";
import { markOutputs } from "../wire/secrecy";
import { ProviderError, type PartialFailure } from "../host/rpcError";
import { newProviderId, ownInputs } from "../host/registry";
import { type Provider, type Subject } from "../host/provider";
import { isBuiltIn, providerOf, type Context } from "./context";
import { type Op, type StepEvent } from "./events";
import { type ValueMap } from "../../wire";

/** A step that failed after its error was noted; what there is of the resource is in the state. */
export class StepFailed extends Error {}

/** Carries out single steps: tells the display, records the operation, calls the provider, records the outcome. */
export class Steps {
  constructor(private readonly context: Context) {}

  /** An unchanged resource: its record may differ (dependencies, provider), its outputs stay. */
  async same(old: ResourceState, next: ResourceState): Promise<ResourceState> {
    const { id, outputs, created, modified } = old;
    const state = { ...next, aliases: undefined, id, outputs, created, modified };
    if (isProviderType(next.type)) {
      // The old inputs are what the provider said makes no difference.
      await this.context.registry.activate(next.urn, old.id ?? "", old.inputs ?? {});
    }
    const step = this.start("same", next, old);
    await this.context.snapshot.same(old, state);
    this.context.events.stepEnded(step, "done", state);
    return state;
  }

  /** Creates a resource; with `replaced`, in the place of one that is already deleted or will be later. */
  async create(
    next: ResourceState,
    replaced?: { old: ResourceState; diff?: Diff; isDeleted: boolean },
  ): Promise<ResourceState> {
    const { context } = this;
    const now = new Date().toISOString();
    const base = { ...next, created: now, modified: now };
    const op: Op = replaced ? "create-replacement" : "create";
    const step = this.start(op, next, replaced?.old, replaced?.diff);
    const settle = (state: ResourceState): void => {
      if (!replaced) context.snapshot.replace(undefined, state);
      else if (replaced.isDeleted) context.snapshot.replace(replaced.old, state);
      else {
        context.snapshot.keepForDeletion(replaced.old);
        context.snapshot.replace(undefined, state);
      }
    };
    return this.perform("creating", base, step, settle, async () => {
      if (isProviderType(next.type)) {
        const id = newProviderId(context.isPreview);
        await context.registry.activate(next.urn, id, next.inputs ?? {});
        return { id, outputs: ownInputs(next.inputs ?? {}) };
      }
      const provider = context.registry.get(next.provider ?? "");
      return provider.create(
        {
          urn: next.urn,
          inputs: next.inputs ?? {},
          timeout: next.customTimeouts?.create ?? 0,
        },
        context.isPreview,
      );
    });
  }

  async update(old: ResourceState, next: ResourceState, diff: Diff): Promise<ResourceState> {
    const { context } = this;
    const base = { ...next, id: old.id, created: old.created, modified: new Date().toISOString() };
    const step = this.start("update", next, old, diff);
    const settle = (state: ResourceState): void => {
      // Until it is ready, a resource has not become what was wished: the old inputs stay, so that a difference remains.
      const isReady = (state.initErrors ?? []).length === 0;
      context.snapshot.replace(old, isReady ? state : { ...state, inputs: old.inputs });
    };
    return this.perform("updating", base, step, settle, async () => {
      const id = old.id ?? "";
      if (isProviderType(next.type)) {
        await context.registry.activate(next.urn, id, next.inputs ?? {});
        return { id, outputs: ownInputs(next.inputs ?? {}) };
      }
      const provider = context.registry.get(next.provider ?? "");
      const subject = {
        ...subjectOf(old),
        urn: next.urn,
        timeout: next.customTimeouts?.update ?? 0,
      };
      const ignored = next.ignoreChanges ?? [];
      const outputs = await provider.update(subject, next.inputs ?? {}, ignored, context.isPreview);
      return { id, outputs };
    });
  }

  /** A component has no provider: its record is all there is. */
  async component(old: ResourceState | undefined, next: ResourceState): Promise<ResourceState> {
    const { context } = this;
    const now = new Date().toISOString();
    const state = old
      ? { ...next, aliases: undefined, outputs: old.outputs, created: old.created, modified: now }
      : { ...next, created: now, modified: now };
    const step = this.start(old ? "update" : "create", next, old);
    await context.snapshot.end(undefined, () => context.snapshot.replace(old, state));
    context.events.stepEnded(step, "done", state);
    return state;
  }

  /**
   * Deletes a resource, or only forgets it where its provider has nothing to do.
   * @param toBeReplaced true before a delete-first replacement: the record stays, marked as deleted
   */
  async delete(old: ResourceState, op: Op, toBeReplaced = false): Promise<ResourceState> {
    const { context } = this;
    const step: StepEvent = { op, urn: old.urn, provider: old.provider, old };
    context.events.stepStarted(step);
    let marked = old;
    const settle = (): void => {
      if (toBeReplaced) marked = context.snapshot.change(old, { pendingReplacement: true });
      else context.snapshot.remove(old);
    };
    // Even where nothing is called, an old provider that cannot be configured any more is to be noticed now.
    const provider = hasProvider(old) ? await this.ensureProvider(step, old) : undefined;
    if (context.isPreview || !provider || !needsDelete(old)) {
      await context.snapshot.end(undefined, settle);
      context.events.stepEnded(step, "done");
      return marked;
    }
    const operation = await context.snapshot.begin("deleting", old);
    try {
      const subject = { ...subjectOf(old), timeout: old.customTimeouts?.delete ?? 0 };
      await context.limiter.run(() => bracketed(true, "delete", () => provider.delete(subject)));
    } catch (error) {
      await this.recordFailure(operation, step, error);
    }
    await context.snapshot.end(operation, settle);
    context.events.stepEnded(step, "done");
    return marked;
  }

  /** A step that cannot be done. @throws StepFailed always. */
  fail(step: StepEvent, message: string): never {
    this.context.events.stepStarted(step);
    this.context.events.stepEnded(step, "failed");
    this.context.outcome.fail({ urn: step.urn, message });
    throw new StepFailed(message);
  }

  private async ensureProvider(step: StepEvent, old: ResourceState): Promise<Provider> {
    try {
      return await providerOf(this.context, old);
    } catch (error) {
      return this.recordFailure(undefined, step, error);
    }
  }

  private start(op: Op, next: ResourceState, old?: ResourceState, diff?: Diff): StepEvent {
    const step: StepEvent = { op, urn: next.urn, provider: next.provider, old, next, diff };
    this.context.events.stepStarted(step);
    return step;
  }

  /** Records, calls, and records again; a partial failure keeps what there is of the resource. */
  private async perform(
    type: OperationType,
    next: ResourceState,
    step: StepEvent,
    settle: (state: ResourceState) => void,
    call: () => Promise<{ id: string; outputs: ValueMap }>,
  ): Promise<ResourceState> {
    const { snapshot, events, isPreview, limiter } = this.context;
    const isRecorded = !isPreview && !isProviderType(next.type);
    const operation = isRecorded ? await snapshot.begin(type, next) : undefined;
    let result: { id: string; outputs: ValueMap };
    try {
      result = await limiter.run(() => bracketed(isRecorded, METHODS[type], call));
    } catch (error) {
      return this.recordFailure(operation, step, error, (partial) =>
        settle(finished(next, { ...partial, id: partial.id || next.id || "" }, partial.reasons)),
      );
    }
    const state = finished(next, result, []);
    await snapshot.end(operation, () => settle(state));
    events.stepEnded(step, "done", state);
    return state;
  }

  /** @throws StepFailed always. */
  private async recordFailure(
    operation: Operation | undefined,
    step: StepEvent,
    error: unknown,
    settlePartial?: (partial: PartialFailure) => void,
  ): Promise<never> {
    const { snapshot, events, outcome } = this.context;
    const failure = error instanceof ProviderError ? error : undefined;
    const { partial } = failure ?? {};
    // A call whose provider died may have taken effect: its record stays for the next run to reconcile.
    if (!failure?.isLost) {
      await snapshot.end(operation, () => {
        if (partial && (partial.id !== "" || step.op === "update")) settlePartial?.(partial);
      });
    }
    const message = error instanceof Error ? error.message : String(error);
    events.stepEnded(step, "failed");
    outcome.fail({ urn: step.urn, message });
    throw new StepFailed(message);
  }
}

/** What a provider call needs to know of a recorded resource. */
export function subjectOf(state: ResourceState): Subject {
  return {
    urn: state.urn,
    id: state.id ?? "",
    inputs: state.inputs ?? {},
    outputs: state.outputs ?? {},
    timeout: 0,
  };
}

const METHODS: Record<OperationType, string> = {
  creating: "create",
  updating: "update",
  deleting: "delete",
  reading: "read",
};

/** A provider call that changes something, between the two moments at which a crash matters. */
async function bracketed<T>(
  isRecorded: boolean,
  method: string,
  call: () => Promise<T>,
): Promise<T> {
  if (isRecorded) crashPoint("before-call", method);
  const result = await call();
  if (isRecorded) crashPoint("after-call", method);
  return result;
}

function needsDelete(state: ResourceState): boolean {
  return (
    state.custom &&
    !state.external &&
    !state.retainOnDelete &&
    !state.pendingReplacement &&
    !isProviderType(state.type)
  );
}

function hasProvider(state: ResourceState): boolean {
  return state.custom && !isProviderType(state.type) && !isBuiltIn(state);
}

function finished(
  next: ResourceState,
  result: { id: string; outputs: ValueMap },
  initErrors: string[],
): ResourceState {
  const secretOutputs = next.additionalSecretOutputs ?? [];
  return {
    ...next,
    // Aliases steer one run; the record has the new name.
    aliases: undefined,
    id: result.id,
    outputs: markOutputs(result.outputs, next.inputs ?? {}, secretOutputs),
    initErrors,
  };
}
