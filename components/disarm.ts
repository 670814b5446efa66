/**
 * After what may have cut us off: comes back over a new connection and stops the timer that would undo it (D2).
 */

import { type Connection } from "../hosts/plan/types";
import { phaseText } from "../payload/remoteText";
import { type PrepareSpec } from "../payload/spec";
import { parseVerdict } from "../payload/verdict";
import { runOnHost } from "../probe/probe";
import { type Ending } from "./ending";

/** Milliseconds in which we try to come back; the host's timer (payload/host/undo.py) is longer. */
const PATIENCE_MS = 75_000;
const PAUSE_MS = 2_000;
/** One dial with its answer. */
const DIAL_MS = 15_000;

export interface Guarded {
  readonly name: string;
  readonly connection: Connection;
}

/** True where the command may have armed a timer though nobody heard its verdict. */
export function mayCutOff(spec: PrepareSpec): boolean {
  return (
    spec.state === "present" &&
    (spec.firewall !== null || spec.services.some((service) => service.cutsOff))
  );
}

/**
 * @param guarded false where no timer can have been armed, so that a lost command needs no dial
 * @param patience milliseconds
 * @returns the ending as it was when we are in, else one that failed and says what the host undoes
 */
export async function confirmReachable(
  host: Guarded,
  ending: Ending,
  guarded: boolean,
  patience = PATIENCE_MS,
): Promise<Ending> {
  if (ending.kind === "not run" || (ending.kind === "lost" && !guarded)) return ending;
  const names = ending.kind === "verdict" ? (ending.verdict.armed ?? []) : ["*"];
  if (names.length === 0) return ending;
  const failure = await disarm(host, names, patience);
  if (failure === undefined) return ending;
  const what = names[0] === "*" ? "what it may have changed" : names.join(" and ");
  const second = `the host itself undoes ${what}: ${failure}`;
  if (ending.kind === "lost") return { kind: "lost", why: `${ending.why}; ${second}` };
  const { error: first } = ending.verdict;
  const error = first === undefined ? second : `${first}; ${second}`;
  return { kind: "verdict", verdict: { ...ending.verdict, ok: false, outcome: "failed", error } };
}

/** @returns why the timers could not be stopped */
async function disarm(
  { name, connection }: Guarded,
  names: readonly string[],
  patience: number,
): Promise<string | undefined> {
  const end = performance.now() + patience;
  const stdin = JSON.stringify({ node: name, names });
  for (;;) {
    const request = { command: phaseText("disarm"), stdin, deadline: DIAL_MS };
    const answer = await runOnHost(connection, request);
    if (answer.ok) {
      const verdict = parseVerdict(answer.stdout);
      if (!verdict.ok) return verdict.error;
      return verdict.value.ok ? undefined : verdict.value.error;
    }
    if (performance.now() + PAUSE_MS >= end)
      return `no new connection within ${Math.round(patience / 1000)} s: ${answer.reason}`;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
