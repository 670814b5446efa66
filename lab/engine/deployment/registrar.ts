import { randomBytes } from "node:crypto";
import { EngineError } from "../errors";
import { type Checked } from "../host/provider";
import { compareInputs, decide, NO_DIFF, replaceBecause, type Diff } from "../plan/decision";
import { ignoreChanges } from "../plan/ignoreChanges";
import { BUILT_IN_PACKAGE, isProviderType, makeUrn, packageOf, providerPackage } from "../plan/urn";
import { type ResourceState } from "../state/resource";
import { type Context } from "./context";
import { dependentReplacements } from "./dependents";
import { type StepEvent } from "./events";
import { DefaultProviders } from "./defaultProviders";
import { newState, type Goal } from "./goal";
import { Imports, isToImport } from "./imports";
import { PendingOperations } from "./pending";
import { ProviderChanges } from "./providerChanges";
import { StepFailed, type Steps, subjectOf } from "./steps";
import { type ValueMap } from "../../wire";

export interface Registered {
  state: ResourceState;
  result: "success" | "failed" | "skipped";
}

/** Turns what the program registers into steps. */
export class Registrar {
  /** The state of everything that this run has settled. */
  readonly states = new Map<string, ResourceState>();
  readonly pending: PendingOperations;
  private readonly seen = new Set<string>();
  /** What could not be settled, and what was skipped because of it. */
  readonly failed = new Set<string>();
  /** What this run has deleted because it cannot live without something that is deleted first. */
  private readonly condemned = new Set<string>();
  /** Names under which resources were known before. */
  private readonly aliases = new Map<string, string>();
  private readonly providerChanges: ProviderChanges;
  private readonly defaults: DefaultProviders;
  private readonly imports: Imports;

  constructor(
    private readonly context: Context,
    private readonly steps: Steps,
  ) {
    this.pending = new PendingOperations(context);
    this.providerChanges = new ProviderChanges(context, this.states, this.aliases);
    this.imports = new Imports(context);
    this.defaults = new DefaultProviders(context, (goal) => this.register(goal));
  }

  /** True when the program has registered the URN, or renamed what was known by it. */
  isWanted(urn: string): boolean {
    return this.seen.has(urn) || this.aliases.has(urn);
  }

  urnOf(goal: Pick<Goal, "parent" | "type" | "name">): string {
    return makeUrn(this.context.stack, this.context.project, goal.parent, goal.type, goal.name);
  }

  defaultProvider(packageName: string, version: string): Promise<string> {
    return this.defaults.get(packageName, version);
  }

  /** Claims a URN for this run. @throws EngineError when the program names two resources alike. */
  claim(urn: string): void {
    if (this.seen.has(urn)) {
      throw new EngineError(`Duplicate resource URN '${urn}'; try giving it a unique name`);
    }
    this.seen.add(urn);
  }

  /** Brings one resource to what the program wants. */
  async register(goal: Goal): Promise<Registered> {
    this.context.outcome.check();
    const urn = this.urnOf(goal);
    this.claim(urn);
    this.context.events.known(goal.inputs);
    const next = newState(urn, goal);
    if (this.dependsOnFailure(next)) {
      this.failed.add(urn);
      return { state: next, result: "skipped" };
    }
    try {
      if (goal.custom && !isProviderType(goal.type)) {
        next.provider =
          goal.provider ?? (await this.defaultProvider(packageOf(goal.type), goal.version));
      }
      const state = await this.settle(goal, next, this.findOld(next, goal.aliases));
      this.states.set(urn, state);
      await this.pending.settled(urn);
      return { state, result: "success" };
    } catch (error) {
      if (!(error instanceof StepFailed) || !this.context.continueOnError) throw error;
      this.failed.add(urn);
      return { state: this.context.snapshot.olds.get(urn) ?? next, result: "failed" };
    }
  }

  private async settle(
    goal: Goal,
    next: ResourceState,
    found: ResourceState | undefined,
  ): Promise<ResourceState> {
    let old = found;
    if (!goal.custom) return this.settleComponent(next, old);
    if (old?.external) {
      this.context.snapshot.remove(old);
      old = undefined;
    }
    if (old && !(await this.pending.stillExists(old))) old = undefined;
    if (!isProviderType(goal.type)) {
      const provider = this.context.registry.get(next.provider ?? "");
      old = (await this.pending.findCreated(next.urn, provider, old)) ?? old;
    }
    if (old && !old.custom)
      return this.recreate(goal, next, old, replaceBecause("provider"), false);
    if (goal.importId !== undefined && isToImport(goal.importId, old)) {
      const imported = await this.imports.take(goal, next, old);
      this.context.outcome.check();
      return this.change(goal, next, imported, true);
    }
    if (!old) {
      next.inputs = await this.check(next, undefined, goal.inputs);
      this.context.outcome.check();
      return this.steps.create(next);
    }
    return this.change(goal, next, old);
  }

  private async settleComponent(
    next: ResourceState,
    old: ResourceState | undefined,
  ): Promise<ResourceState> {
    if (old?.custom) {
      this.context.snapshot.keepForDeletion(old);
      return this.steps.component(undefined, next);
    }
    const isSame = old && compareInputs(old.inputs ?? {}, next.inputs ?? {}).changes === "none";
    return isSame ? this.steps.same(old, next) : this.steps.component(old, next);
  }

  private async change(
    goal: Goal,
    next: ResourceState,
    old: ResourceState,
    isImported = false,
  ): Promise<ResourceState> {
    const { events, outcome } = this.context;
    // What this run has deleted is not compared; what an earlier one has deleted is, as the CLI does.
    if (this.condemned.has(old.urn)) return this.recreate(goal, next, old, NO_DIFF, true);
    const held = ignoreChanges(goal.inputs, old.inputs, goal.ignoreChanges);
    if (held.failed.length > 0) {
      const paths = held.failed.map((path) => `"${path}"`).join(", ");
      const message = `cannot ignore changes in added or removed elements of the path: ${paths}`;
      events.diagnostic({ severity: "info", urn: next.urn, message });
    }
    next.inputs = await this.check(next, old.inputs ?? undefined, held.inputs);
    const decision = decide(old, await this.diff(goal, next, old), goal);
    outcome.check();
    switch (decision.kind) {
      case "same":
        return isImported ? this.imports.settle(old, next) : this.steps.same(old, next);
      case "update":
        return this.steps.update(old, next, decision.diff);
      case "replace":
        return this.recreate(goal, next, old, decision.diff, decision.deleteFirst);
    }
  }

  /** Replaces a resource, with its old self deleted before or after. */
  private async recreate(
    goal: Goal,
    next: ResourceState,
    old: ResourceState,
    diff: Diff,
    deleteFirst: boolean,
  ): Promise<ResourceState> {
    if (old.protect && goal.protect) {
      const message =
        `unable to replace resource "${next.urn}" as it is currently marked for protection. ` +
        "To unprotect it, remove the `protect` flag from the resource in the program and run `pulumi up`";
      this.context.outcome.fail({ urn: next.urn, message });
      if (!this.context.isPreview) throw new StepFailed(message);
    }
    // The old inputs had lent their defaults; a new resource gets its own.
    next.inputs = await this.check(next, undefined, goal.inputs);
    this.context.outcome.check();
    const replace = { op: "replace", urn: next.urn, provider: next.provider, old, diff } as const;
    if (!deleteFirst) {
      const state = await this.steps.create(next, { old, diff, isDeleted: false });
      const step: StepEvent = { ...replace, next: state };
      this.context.events.stepStarted(step);
      this.context.events.stepEnded(step, "done", state);
      return state;
    }
    const deleted = await this.deleteFirst(old);
    const step: StepEvent = { ...replace, next };
    this.context.events.stepStarted(step);
    this.context.outcome.check();
    const state = await this.steps.create(next, { old: deleted, diff, isDeleted: true });
    this.context.events.stepEnded(step, "done", state);
    return state;
  }

  /** Deletes a resource that is to be replaced, after those that cannot live without it. */
  private async deleteFirst(old: ResourceState): Promise<ResourceState> {
    if (old.pendingReplacement) return old;
    const dependents = await dependentReplacements(this.context, old, this.seen);
    for (const state of dependents.reverse()) {
      if (state.pendingReplacement) continue;
      if (state.protect) {
        const message =
          `unable to replace resource "${state.urn}" as part of replacing "${old.urn}" ` +
          "as it is currently marked for protection";
        this.context.outcome.fail({ urn: old.urn, message });
        throw new StepFailed(message);
      }
      this.condemned.add(state.urn);
      await this.steps.delete(state, "delete-replaced", true);
      this.context.outcome.check();
    }
    return this.steps.delete(old, "delete-replaced", true);
  }

  private async check(
    next: ResourceState,
    olds: ValueMap | undefined,
    news: ValueMap,
  ): Promise<ValueMap> {
    this.context.outcome.check();
    const { registry, limiter } = this.context;
    const checked: Checked = await this.guard(next.urn, () =>
      limiter.run(async () =>
        isProviderType(next.type)
          ? registry.check(next.urn, next.type, olds, news)
          : registry.get(next.provider ?? "").check(next.urn, olds, news, randomBytes(32)),
      ),
    );
    if (checked.failures.length === 0) {
      // The CLI notes there what a provider is made with; an empty note keeps the two states alike.
      return isProviderType(next.type) && providerPackage(next.type) !== BUILT_IN_PACKAGE
        ? { ...checked.inputs, __internal: {} }
        : checked.inputs;
    }
    for (const { property, reason } of checked.failures) {
      const where = property === "" ? "" : `property "${property}": `;
      this.context.outcome.fail({ urn: next.urn, message: `${where}${reason}` });
    }
    throw new StepFailed("the inputs are not valid");
  }

  private async diff(goal: Goal, next: ResourceState, old: ResourceState): Promise<Diff> {
    const { registry, limiter } = this.context;
    const news = next.inputs ?? {};
    return this.guard(next.urn, async () => {
      if (isProviderType(next.type)) return registry.diff(next.urn, old, news);
      if (await this.providerChanges.needReplacement(old, next)) return replaceBecause("provider");
      const provider = registry.get(next.provider ?? "");
      const subject = { ...subjectOf(old), urn: next.urn };
      return limiter.run(() => provider.diff(subject, news, goal.ignoreChanges));
    });
  }

  /** Errors of a provider before a step are the resource's errors too. */
  private async guard<T>(urn: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.context.outcome.fail({ urn, message });
      throw new StepFailed(message);
    }
  }

  private findOld(next: ResourceState, aliases: readonly string[]): ResourceState | undefined {
    const { urn } = next;
    const { olds } = this.context.snapshot;
    const own = olds.get(urn);
    if (own && !this.aliases.has(urn)) return own;
    const alias = aliases.find((item) => olds.has(item) && !this.isWanted(item));
    if (alias === undefined) return undefined;
    this.aliases.set(alias, urn);
    next.aliases = [alias];
    return olds.get(alias);
  }

  private dependsOnFailure(next: ResourceState): boolean {
    if (this.failed.size === 0) return false;
    const urns = [...(next.dependencies ?? []), ...(next.parent ? [next.parent] : [])];
    return urns.some((urn) => this.failed.has(urn));
  }
}
