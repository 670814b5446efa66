import { type Diff } from "../plan/decision";
import { type ResourceState } from "../state/resource";
import { type ValueMap } from "../../wire";

/** The CLI's names of operations, as `preview --json` prints them. */
export type Op =
  | "same"
  | "create"
  | "update"
  | "delete"
  | "replace"
  | "create-replacement"
  | "delete-replaced"
  | "import"
  | "read"
  | "discard";

export interface StepEvent {
  op: Op;
  urn: string;
  provider?: string;
  old?: ResourceState;
  next?: ResourceState;
  diff?: Diff;
}

export type Severity = "info" | "warning" | "error";

export interface Diagnostic {
  severity: Severity;
  message: string;
  /** The resource it is about; undefined when it is about the run. */
  urn?: string;
  /** Part of a longer output: shown while it comes, not repeated at the end. */
  isStream?: boolean;
}

/** Gets told what happens in a run. */
export interface Events {
  stepStarted(step: StepEvent): void;
  /** `next` is the state with its outputs. */
  stepEnded(step: StepEvent, outcome: "done" | "failed", next?: ResourceState): void;
  diagnostic(diagnostic: Diagnostic): void;
  /** Values that are about to be used: no secret among them may be printed from now on. */
  known(values: ValueMap): void;
  /** The stack's outputs, before and after. */
  stackOutputs(olds: ValueMap, news: ValueMap): void;
}
