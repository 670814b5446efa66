/** The time that one host may take. Only phases count; waiting in our own queues does not. */

export interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export class Budget {
  #spent = 0;

  /** @param total milliseconds */
  constructor(readonly total: number) {}

  /** Milliseconds that phases have taken. */
  get spent(): number {
    return Math.round(this.#spent);
  }

  get remaining(): number {
    return Math.max(0, this.total - this.#spent);
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
    let stop: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        timer = setTimeout(() => {
          // After a busy moment timers fire before the data that has long arrived is read: read it first.
          setImmediate(() => reject(onTimeout(named)));
        }, given);
        stop = start({ resolve, reject });
      });
    } finally {
      clearTimeout(timer);
      stop?.();
      this.#spent += performance.now() - begun;
    }
  }
}
