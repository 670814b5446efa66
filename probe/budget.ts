/**
 * The time that one host may take. Only phases count; waiting in our own queues does not, nor does the time for which
 * this machine was too busy, or asleep, to look at what the host had long said.
 */

/** Milliseconds between two beats, and the most that one counts: what is more, this process did not run. */
const BEAT = 100;
const MOST = 150;

export interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export class Budget {
  /** By the clock, and what of it counts. */
  #spent = 0;
  #counted = 0;

  /** @param total milliseconds */
  constructor(readonly total: number) {}

  /** Milliseconds that phases have taken. */
  get spent(): number {
    return Math.round(this.#spent);
  }

  get remaining(): number {
    return Math.max(0, this.total - this.#counted);
  }

  /**
   * Runs one phase against its own deadline, and never beyond what is left of the whole.
   *
   * @param limit milliseconds
   * @param start begins it; what it returns is called when the phase is over, however it ended
   * @param onTimeout makes the error from the milliseconds that ran out
   */
  async phase<T>(
    limit: number,
    start: (settle: Settle<T>) => () => void,
    onTimeout: (milliseconds: number) => Error,
  ): Promise<T> {
    const given = Math.min(limit, this.remaining);
    // Cut short by the whole, it is the whole that a reader has to hear of.
    const named = given < limit ? this.total : limit;
    const begun = performance.now();
    let [last, counted] = [begun, 0];
    const count = () => {
      const now = performance.now();
      counted += Math.min(now - last, MOST);
      last = now;
    };
    let stop: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        const beat = () => {
          count();
          if (counted < given) wait();
          // After a busy moment timers fire before the data that has long arrived is read: read it first.
          else setImmediate(() => reject(onTimeout(named)));
        };
        const wait = () => (timer = setTimeout(beat, Math.min(BEAT, given - counted)));
        wait();
        stop = start({ resolve, reject });
      });
    } finally {
      clearTimeout(timer);
      stop?.();
      count();
      this.#counted += counted;
      this.#spent += last - begun;
    }
  }
}
