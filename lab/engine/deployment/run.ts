import { EngineError } from "../errors";
import { ALREADY_REPORTED, type Program, type ProgramEnd } from "../program/program";
import { STACK_TYPE } from "../state/resource";
import { type Context } from "./context";
import { deleteLeftovers, storeStackOutputs } from "./finish";
import { Stopped } from "./outcome";
import { Registrar } from "./registrar";
import { StepFailed, Steps } from "./steps";
import { type ValueMap } from "../../wire";

/** One preview, update or destroy: takes the program's calls and brings them to an end. */
export class Run {
  readonly registrar: Registrar;
  rootUrn = "";
  private readonly steps: Steps;
  private readonly calls = new Set<Promise<unknown>>();
  private stackOutputs: ValueMap | undefined;
  private finishing: Promise<void> | undefined;

  constructor(readonly context: Context) {
    this.steps = new Steps(context);
    this.registrar = new Registrar(context, this.steps);
  }

  /** Counts a call of the program as running until it is answered. */
  track<T>(work: () => Promise<T>): Promise<T> {
    const call = work();
    this.calls.add(call);
    const done = (): void => void this.calls.delete(call);
    call.then(done, done);
    return call;
  }

  /** An error that is the engine's own. */
  readonly unexpected = (error: unknown): void => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.context.outcome.fail({ message: `unexpected error: ${message}` }, true);
  };

  /** @throws EngineError for a URN that was not registered. */
  async registerOutputs(urn: string, outputs: ValueMap): Promise<void> {
    this.context.outcome.check();
    const state = this.registrar.states.get(urn);
    if (!state) throw new EngineError(`outputs for "${urn}", which is not registered`);
    // The stack's own outputs count only when it is known how the run ended.
    if (state.type === STACK_TYPE) {
      this.stackOutputs = outputs;
      return;
    }
    this.registrar.states.set(urn, await this.context.snapshot.setOutputs(state, outputs));
  }

  /** Waits for the program and for everything it asked for, then deletes and stores what is left to do. */
  async execute(program: Program): Promise<void> {
    const end = await Promise.race([program.ended, this.stopped(program)]);
    if (end) this.judge(end);
    await this.finish();
  }

  /** Deletes everything, without a program. */
  async destroy(): Promise<void> {
    try {
      await deleteLeftovers(this.context, this.steps, this.registrar);
    } catch (error) {
      if (!(error instanceof Stopped || error instanceof StepFailed)) this.unexpected(error);
    }
  }

  /** The last part of a run, done once: on the program's signal or on its end, whichever comes first. */
  finish(): Promise<void> {
    this.finishing ??= this.finishOnce();
    return this.finishing;
  }

  private async finishOnce(): Promise<void> {
    await this.idle();
    const { outcome } = this.context;
    try {
      if (!outcome.isStopping) await deleteLeftovers(this.context, this.steps, this.registrar);
      await storeStackOutputs(this.context, this.stackOutputs);
    } catch (error) {
      if (!(error instanceof Stopped || error instanceof StepFailed)) this.unexpected(error);
    }
  }

  /** Resolves once nothing runs that the program asked for. */
  private async idle(): Promise<void> {
    while (this.calls.size > 0) await Promise.allSettled([...this.calls]);
  }

  /** After a stop: lets running calls end and then ends the program, which may be waiting for something else. */
  private async stopped(program: Program): Promise<undefined> {
    await this.context.outcome.whenStopping;
    await this.idle();
    await Promise.race([program.ended, new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    await program.stop();
    return undefined;
  }

  private judge({ code, signal }: ProgramEnd): void {
    const { outcome } = this.context;
    if (code === 0 || outcome.isStopping) return;
    if (code === ALREADY_REPORTED) outcome.fail(undefined, true);
    else {
      const how = signal ? `was killed by ${signal}` : `exited with non-zero exit code: ${code}`;
      outcome.fail({ message: `Program ${how}` }, true);
    }
  }
}
