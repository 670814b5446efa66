/** One difference between what is wanted on a host and what a probe found there. */
export interface Drift {
  readonly what: string;
  readonly want: string;
  readonly is: string;
  /** Lines of an edited file: `-` what is there, `+` what will be there. */
  readonly detail?: string;
}
