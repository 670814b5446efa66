/**
 * Why a lab command ends without doing its work; the exit code is part of the command line's contract.
 * `machine`: this machine cannot carry a lab. `input`: the arguments or files are wrong. `state`: no such lab, or
 * one too many. `failed`: something that should have worked did not. `interrupted`: somebody ended it.
 */
export type LabErrorKind = "failed" | "input" | "interrupted" | "machine" | "state";

export const EXIT_CODES: Record<LabErrorKind, number> = {
  failed: 1,
  input: 2,
  machine: 3,
  state: 4,
  interrupted: 130,
};

/** An error whose text is all that its reader needs; it is printed without a stack. */
export class LabError extends Error {
  constructor(
    readonly kind: LabErrorKind,
    message: string,
  ) {
    super(message);
    this.name = "LabError";
  }

  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }
}
