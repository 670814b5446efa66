/** `p2p:probe: off`: what the last run saw healthy stands for what nobody looks at now. */

import { type ProbeResult } from "../probe/types";
import { type PreviousRun } from "./previousRun";
import { type Wish } from "./tasks";

/**
 * A host whose release was healthy in the last run counts as in order; every other one as unreachable, so
 * that nothing is dialled on a guess.
 */
export function unseen(wishes: readonly Wish[], previous: PreviousRun): Map<string, ProbeResult> {
  return new Map(
    wishes.map((wish): [string, ProbeResult] => {
      const { activate } = wish;
      const isCurrent =
        activate.state === "present" && previous.releases[wish.name] === activate.digest;
      const reason = isCurrent
        ? "not looked at (p2p:probe is off); its release was healthy in the last run"
        : "not looked at (p2p:probe is off); a release is waiting for it";
      return [wish.name, { class: "unreachable", kind: "timed-out", reason, milliseconds: 0 }];
    }),
  );
}
