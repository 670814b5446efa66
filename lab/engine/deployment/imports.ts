import { Unsupported } from "../errors";
import { isProviderType } from "../plan/urn";
import { type ResourceState } from "../state/resource";
import { markOutputs } from "../wire/secrecy";
import { type Context } from "./context";
import { type StepEvent } from "./events";
import { type Goal, newState } from "./goal";
import { StepFailed } from "./steps";

/** Whether a resource is still to be taken over: it was not yet, under this id. */
export function isToImport(importId: string, old: ResourceState | undefined): boolean {
  return old === undefined || (old.id !== importId && old.importID !== importId);
}

/** Takes over what exists, where the program names its id. */
export class Imports {
  constructor(private readonly context: Context) {}

  /**
   * Reads the resource and records it as it is; nothing is changed by it. What the program wants otherwise is then an
   * update like any other.
   * @throws StepFailed, with nothing recorded, for one that does not exist
   */
  async take(
    goal: Goal,
    next: ResourceState,
    old: ResourceState | undefined,
  ): Promise<ResourceState> {
    const { context } = this;
    if (isProviderType(next.type)) throw new Unsupported(`importing a provider (${goal.name})`);
    if (old !== undefined) {
      throw new Unsupported(`the option import for a resource that has another id (${goal.name})`);
    }
    // What is planned is the program's wish, as it stands.
    const step: StepEvent = {
      op: "import",
      urn: next.urn,
      provider: next.provider,
      next: { ...next },
    };
    context.events.stepStarted(step);
    try {
      const state = await this.read(goal, next);
      await context.snapshot.end(undefined, () => context.snapshot.replace(undefined, state));
      context.events.stepEnded(step, "done", state);
      return state;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      context.events.stepEnded(step, "failed");
      context.outcome.fail({ urn: next.urn, message });
      throw new StepFailed(message);
    }
  }

  /** Records what was taken over with the program's inputs, which make no difference to it. */
  async settle(imported: ResourceState, next: ResourceState): Promise<ResourceState> {
    const { id, outputs, created, modified } = imported;
    const state = { ...next, aliases: undefined, id, outputs, created, modified };
    await this.context.snapshot.same(imported, state);
    return state;
  }

  private async read(goal: Goal, next: ResourceState): Promise<ResourceState> {
    const { context } = this;
    const id = goal.importId ?? "";
    const provider = context.registry.get(next.provider ?? "");
    const subject = { urn: next.urn, id, inputs: {}, outputs: {}, timeout: 0 };
    const found = await context.limiter.run(() => provider.read(subject));
    if (found === undefined) throw new Error(`resource '${id}' does not exist`);
    if (found.inputs === undefined) {
      throw new Error("provider does not support importing resources");
    }
    const now = new Date().toISOString();
    const secrets = next.additionalSecretOutputs ?? [];
    return {
      ...newState(next.urn, goal),
      ...{ provider: next.provider, id: found.id, inputs: found.inputs },
      outputs: markOutputs(found.outputs, found.inputs, secrets),
      created: now,
      modified: now,
    };
  }
}
