import { type Diagnostic, type Events } from "./events";

/** Thrown where work must not go on, because the run failed or was cancelled elsewhere. */
export class Stopped extends Error {
  constructor() {
    super("the run is stopping");
    this.name = "Stopped";
  }
}

/** How a run goes: its errors, and whether it still may begin anything new. */
export class Outcome {
  readonly failedUrns = new Set<string>();
  isCancelled = false;
  /** Resolves when nothing new may begin any more. */
  readonly whenStopping: Promise<void>;
  private hasFailed = false;
  private stopping = false;
  private announce: () => void = () => undefined;

  constructor(
    private readonly events: Events,
    private readonly continueOnError: boolean,
  ) {
    this.whenStopping = new Promise((resolve) => (this.announce = resolve));
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  get isFailed(): boolean {
    return this.hasFailed || this.isCancelled;
  }

  /** Reports an error; unless errors are to be survived, nothing new begins after it. */
  fail(diagnostic: Omit<Diagnostic, "severity"> | undefined, isFatal = false): void {
    this.hasFailed = true;
    if (diagnostic) this.events.diagnostic({ severity: "error", ...diagnostic });
    if (diagnostic?.urn) this.failedUrns.add(diagnostic.urn);
    if (isFatal || !this.continueOnError) this.stop();
  }

  /** Lets what runs run to its end and begins nothing more. */
  cancel(): void {
    this.isCancelled = true;
    this.stop();
  }

  private stop(): void {
    this.stopping = true;
    this.announce();
  }

  /** @throws Stopped when nothing new may begin. */
  check(): void {
    if (this.stopping) throw new Stopped();
  }
}
