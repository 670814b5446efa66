import { type UnreachableKind } from "./types";

/** Why a host was not reached; the message is one line for an operator and holds no secret. */
export class DialFailure extends Error {
  override readonly name = "DialFailure";
  constructor(
    readonly kind: UnreachableKind,
    reason: string,
    /** True where the connection ended before anything was said, as sshd does when it is busy. */
    readonly mayRetry = false,
  ) {
    super(reason);
  }

  /** The same failure on the way, not at the host itself. */
  at(place: string): DialFailure {
    return new DialFailure(this.kind, `${place}: ${this.message}`);
  }
}

/** No host key is pinned where one has to be: nothing is dialled (D7). */
export class Untrusted extends Error {
  override readonly name = "Untrusted";
}

/** `4 s`, `0.5 s`. */
export function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
