/** What a probe says about a host, before anything is done to it. */

import { type Connection } from "../hosts/plan/types";
import { type Facts } from "../payload/facts";
import { type FactsRequest } from "../payload/spec";

export interface ProbeTarget {
  readonly name: string;
  readonly connection: Connection;
  readonly request: FactsRequest;
}

/** How far a login got. */
export type UnreachableKind =
  | "unresolved"
  | "refused"
  | "timed-out"
  | "stalled"
  | "login-refused"
  | "host-key-changed"
  | "closed";

export type ProbeResult =
  /** Everything that was asked is known. */
  | { readonly class: "ready"; readonly facts: Facts; readonly milliseconds: number }
  /** Logged in, but something is not as it should be to work there; facts where there are any. */
  | {
      readonly class: "degraded";
      readonly facts: Facts | null;
      readonly reason: string;
      readonly milliseconds: number;
    }
  /** No host key is pinned: nothing was sent there, not even a login (D7). */
  | { readonly class: "untrusted"; readonly reason: string }
  | {
      readonly class: "unreachable";
      readonly kind: UnreachableKind;
      readonly reason: string;
      readonly milliseconds: number;
    };

export interface ProbeOptions {
  /** Scripts at the same time. @default 64 */
  readonly parallel?: number;
  /** Longest time for one host, from its own dial, in milliseconds. @default 10000 */
  readonly deadline?: number;
  /** Called as each host is done, for progress. */
  readonly onResult?: (name: string, result: ProbeResult) => void;
}
