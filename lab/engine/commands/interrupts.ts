import { ExitCode } from "../errors";
import { type Outcome } from "../deployment/outcome";
import { type RunRecord } from "../display/record";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Locks and the like that have to be released even when a run is broken off. */
const cleanups = new Set<() => void>();

/** Registers work for a forced end; call the result when it is no longer needed. */
export function onForcedExit(work: () => void): () => void {
  cleanups.add(work);
  return () => void cleanups.delete(work);
}

/** The first Ctrl-C lets running steps end and begins nothing more; the second ends everything at once. */
export class Interrupts {
  private readonly forced: Array<() => void> = [];
  private count = 0;

  constructor(
    private readonly outcome: Outcome,
    private readonly record: RunRecord,
  ) {
    for (const signal of SIGNALS) process.on(signal, this.receive);
  }

  /** Adds something to be killed at the second signal. */
  onForce(kill: () => void): void {
    this.forced.push(kill);
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.receive);
  }

  private readonly receive = (): void => {
    this.count++;
    if (this.count === 1) {
      const message =
        "cancelling: running steps are brought to their end, nothing new begins; once more to stop at once";
      this.record.diagnostic({ severity: "warning", message });
      this.outcome.cancel();
      return;
    }
    for (const kill of this.forced) kill();
    for (const work of cleanups) work();
    process.stderr.write("stopped at once; steps that were running are recorded as pending\n");
    process.exit(ExitCode.cancelled);
  };
}
