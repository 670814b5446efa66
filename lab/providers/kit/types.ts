import { type ValueMap } from "../../wire";
import { type Logger } from "./log";

/** What every call to a provider carries besides its values. */
export interface CallContext<Config> {
  /** URN of the resource; empty for an invoke. */
  readonly urn: string;
  /** Logical name of the resource. */
  readonly name: string;
  /** What `configure` returned. */
  readonly config: Config;
  /** Aborts on the engine's Cancel, on the engine hanging up and when the resource's customTimeouts are over. */
  readonly signal: AbortSignal;
  /** Lines for the person who runs the engine, shown with the resource; the resource's secrets are masked in them. */
  readonly log: Logger;
}

/** One thing wrong with the inputs, shown by the engine with the property's name. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface CheckResult {
  /** Inputs with defaults filled in. */
  readonly inputs: ValueMap;
  readonly failures?: readonly CheckFailure[];
}

/** How one property changed; the replace kinds make the engine replace the resource. */
export type ChangeKind =
  "add" | "add-replace" | "delete" | "delete-replace" | "update" | "update-replace";

export interface DiffResult {
  /** Property path (`connection.host`, `triggers[0]`) to kind. Empty: nothing changed. */
  readonly changes: Readonly<Record<string, ChangeKind>>;
  /** @default false: the new one is created before the old one is deleted */
  readonly deleteBeforeReplace?: boolean;
}

/**
 * One type of resource. Values arrive without their secret marks; the kit puts the marks back: on outputs named like
 * a secret input, on `secretOutputs`, and on any other output in whose text a known secret occurs.
 */
export interface ResourceSpec<Config> {
  /** Fills in defaults and judges. Unknowns may be anywhere in a preview. @default inputs as they are */
  check?(request: {
    readonly olds: ValueMap;
    readonly news: ValueMap;
    readonly context: CallContext<Config>;
  }): CheckResult | Promise<CheckResult>;

  /** What changed. @default each input that changed is an update, or a replacement if `replaceOnChanges` names it */
  diff?(request: {
    readonly id: string;
    readonly olds: ValueMap;
    readonly oldInputs: ValueMap;
    readonly news: ValueMap;
    readonly context: CallContext<Config>;
  }): DiffResult | Promise<DiffResult>;

  /** Never called in a preview. */
  create(request: {
    readonly inputs: ValueMap;
    readonly context: CallContext<Config>;
  }): Promise<{ readonly id: string; readonly outputs: ValueMap }>;

  /** Never called in a preview. @default any change replaces */
  update?(request: {
    readonly id: string;
    readonly olds: ValueMap;
    readonly oldInputs: ValueMap;
    readonly inputs: ValueMap;
    readonly context: CallContext<Config>;
  }): Promise<ValueMap>;

  /** @default nothing to delete */
  delete?(request: {
    readonly id: string;
    readonly olds: ValueMap;
    readonly context: CallContext<Config>;
  }): Promise<void>;

  /**
   * Undefined when the resource is gone. The id is what the program gave for an import, and empty where an interrupted
   * run was creating the resource; the answer's own id stands. @default the state as it is: no drift is seen
   */
  read?(request: {
    readonly id: string;
    readonly olds: ValueMap;
    readonly oldInputs: ValueMap;
    readonly context: CallContext<Config>;
  }): Promise<
    | {
        /** @default the one that was asked for */
        readonly id?: string;
        readonly outputs: ValueMap;
        readonly inputs: ValueMap;
      }
    | undefined
  >;

  /**
   * Outputs that are no inputs, and when they become known: `create` for those that stay the same as long as the
   * resource lives, `update` for those that each update may change. Previews are answered from this alone.
   */
  readonly computed?: Readonly<Record<string, "create" | "update">>;
  readonly replaceOnChanges?: readonly string[];
  readonly deleteBeforeReplace?: boolean;
  /**
   * Inputs that are secret whether the program says so or not. A path (`connection.password`) marks a field inside
   * an object by itself, as official providers do: a mark more or less is a change to the engine.
   */
  readonly secretInputs?: readonly string[];
  readonly secretOutputs?: readonly string[];
  /** Fields inside a secret object that error texts may show (a host name inside a connection). */
  readonly publicFields?: readonly string[];
}

/** One function. */
export interface InvokeSpec<Config> {
  /** Throws InvalidArguments for arguments that are wrong. */
  call(request: {
    readonly args: ValueMap;
    readonly preview: boolean;
    readonly context: CallContext<Config>;
  }): Promise<ValueMap>;
  readonly secretOutputs?: readonly string[];
}

/** A whole provider. */
export interface ProviderSpec<Config = undefined> {
  /** Package name, as in `pulumi-resource-<name>`. */
  readonly name: string;
  /** Version that the provider stands for, semver without `v`. */
  readonly version: string;
  /** Judges the stack's configuration of the provider. @default accepted as it is */
  checkConfig?(news: ValueMap): CheckResult | Promise<CheckResult>;
  /** Turns the configuration into what the resources need; called once, before any of them. */
  configure?(inputs: ValueMap): Config | Promise<Config>;
  /** By type token (`command:remote:Command`). */
  readonly resources: Readonly<Record<string, ResourceSpec<Config>>>;
  /** By function token (`command:local:run`). */
  readonly invokes?: Readonly<Record<string, InvokeSpec<Config>>>;
  /** Stops what must not outlive the process; called once, synchronously, however the process ends by itself. */
  onExit?(): void;
}
