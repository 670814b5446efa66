import { type Diagnostic, type Events, type StepEvent } from "../deployment/events";
import { isDefaultProvider } from "../plan/urn";
import { type ResourceState } from "../state/resource";
import { type Masker } from "./mask";
import { countOf, type Counts } from "./summary";
import { type ValueMap } from "../../wire";

/** What a renderer shows while a run goes on; all texts are masked already. */
export interface Renderer {
  stepStarted(step: StepEvent): void;
  stepEnded(step: StepEvent, outcome: "done" | "failed", milliseconds: number): void;
  diagnostic(diagnostic: Diagnostic): void;
  close(): void;
}

/** What the engine does for itself is no news: its own providers, and what it only read. */
function isHidden({ op, urn }: StepEvent): boolean {
  return op === "discard" || isDefaultProvider(urn);
}

/** Collects what happened in a run, masks every text, and hands it to a renderer. */
export class RunRecord implements Events {
  readonly counts: Counts = {};
  readonly steps: StepEvent[] = [];
  readonly diagnostics: Diagnostic[] = [];
  outputs: { before: ValueMap; after: ValueMap } | undefined;
  private readonly started = new Map<StepEvent, number>();

  constructor(
    readonly masker: Masker,
    private readonly renderer: Renderer,
    readonly startedAt = Date.now(),
  ) {}

  stepStarted(step: StepEvent): void {
    this.learnState(step.old);
    this.learnState(step.next);
    if (isHidden(step)) return;
    this.steps.push(step);
    this.started.set(step, Date.now());
    this.renderer.stepStarted(step);
  }

  stepEnded(step: StepEvent, outcome: "done" | "failed", next?: ResourceState): void {
    this.learnState(next);
    if (isHidden(step)) return;
    const count = outcome === "done" ? countOf(step, next) : undefined;
    if (count) this.counts[count] = (this.counts[count] ?? 0) + 1;
    this.renderer.stepEnded(step, outcome, Date.now() - (this.started.get(step) ?? Date.now()));
  }

  diagnostic(diagnostic: Diagnostic): void {
    const message = this.masker.mask(diagnostic.message);
    const masked = { ...diagnostic, message };
    if (!diagnostic.isStream) this.diagnostics.push(masked);
    this.renderer.diagnostic(masked);
  }

  known(values: ValueMap): void {
    this.masker.learn(values);
  }

  stackOutputs(before: ValueMap, after: ValueMap): void {
    this.masker.learn(before);
    this.masker.learn(after);
    this.outputs = { before, after };
  }

  private learnState(state: ResourceState | undefined): void {
    this.masker.learn(state?.inputs);
    this.masker.learn(state?.outputs);
  }
}
