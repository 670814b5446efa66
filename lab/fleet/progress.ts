/** Where a lab says what it is doing; a line per step. */
export interface Progress {
  step(text: string): void;
}

export const silent: Progress = { step: () => undefined };
