/** Where a lab says what it is doing. */
export interface Progress {
  /** Something is done, or begins that takes long. */
  step(text: string): void;
  /** A line of the output of something that takes long; only the newest matters. */
  detail(text: string): void;
}

export const silent: Progress = { step: () => undefined, detail: () => undefined };
