/** Looks at hosts over SSH before anything is done to them. Nothing here throws for what a host does (D4). */

import { type Client } from "ssh2";
import { type Connection } from "../hosts/plan/types";
import { briefProbeScript, probeScript } from "../payload/remoteText";
import { clean } from "../payload/untrusted";
import { parseFacts } from "../payload/verdict";
import { Budget } from "./budget";
import { withLogin } from "./dial";
import { execute, NoAnswer, type RemoteCommand, type RemoteResult } from "./exec";
import { DialFailure, Untrusted } from "./failure";
import { DEADLINE } from "./limits";
import { makeSwitchboard, type Switchboard } from "./switchboard";
import {
  type ProbeOptions,
  type ProbeResult,
  type ProbeTarget,
  type UnreachableKind,
} from "./types";

/**
 * Probes all hosts at once. Handshakes are bounded by the cores of this machine, scripts by `parallel`, and
 * hosts behind one gateway are dialled one at a time; none of these waits counts against a host's deadline, and none
 * is for a host that stalls.
 *
 * @returns one result for each target, in the targets' order; never rejects
 */
export async function probeFleet(
  targets: readonly ProbeTarget[],
  options: ProbeOptions = {},
): Promise<Map<string, ProbeResult>> {
  const board = makeSwitchboard(options.parallel);
  const results = await Promise.all(
    targets.map(async (target): Promise<readonly [string, ProbeResult]> => {
      const result = await probeOn(board, target, options.deadline ?? DEADLINE);
      options.onResult?.(target.name, result);
      return [target.name, result];
    }),
  );
  await board.credentials.close();
  return new Map(results);
}

/** Probes one host; never rejects. */
export async function probeHost(
  target: ProbeTarget,
  options: Pick<ProbeOptions, "deadline"> = {},
): Promise<ProbeResult> {
  const results = await probeFleet([target], options);
  return results.get(target.name) as ProbeResult;
}

export type RunResult =
  | ({ readonly ok: true; readonly milliseconds: number } & RemoteResult)
  | {
      readonly ok: false;
      /** `untrusted`: nothing was dialled. `no-answer`: logged in, but the command did not end. */
      readonly kind: UnreachableKind | "untrusted" | "no-answer";
      readonly reason: string;
      readonly milliseconds: number;
    };

export interface RunArgs extends RemoteCommand {
  /** Milliseconds from the dial to the last byte. @default 10000 */
  readonly deadline?: number;
}

/** Runs one short command on one host, under the same rules as a probe; never rejects. */
export async function runOnHost(
  connection: Connection,
  { command, stdin, deadline = DEADLINE }: RunArgs,
  shared?: Switchboard,
): Promise<RunResult> {
  const board = shared ?? makeSwitchboard();
  const budget = new Budget(deadline);
  try {
    const result = await withLogin(connection, board, budget, (client) =>
      board.scripts(() => execute(client, { command, stdin }, budget, deadline)),
    );
    return { ok: true, milliseconds: budget.spent, ...result };
  } catch (error) {
    const reason = (error as Error).message;
    const milliseconds = budget.spent;
    const kind =
      error instanceof Untrusted
        ? "untrusted"
        : error instanceof NoAnswer
          ? "no-answer"
          : error instanceof DialFailure
            ? error.kind
            : "closed";
    return { ok: false, kind, reason, milliseconds };
  } finally {
    if (!shared) await board.credentials.close();
  }
}

async function probeOn(
  board: Switchboard,
  target: ProbeTarget,
  deadline: number,
): Promise<ProbeResult> {
  const budget = new Budget(deadline);
  try {
    return await withLogin(target.connection, board, budget, (client) =>
      board.scripts(() => look(client, target, budget)),
    );
  } catch (error) {
    const milliseconds = budget.spent;
    if (error instanceof Untrusted)
      return {
        class: "untrusted",
        reason: `${error.message}; to see it and record it: fleet trust ${target.name}`,
      };
    if (error instanceof DialFailure)
      return { class: "unreachable", kind: error.kind, reason: error.message, milliseconds };
    if (error instanceof NoAnswer)
      return { class: "degraded", facts: null, reason: error.message, milliseconds };
    const reason = `the probe itself failed: ${clean(String(error)).slice(0, 200)}`;
    return { class: "unreachable", kind: "closed", reason, milliseconds };
  }
}

/** Runs the facts script, which most hosts have already, and reads its one line. */
async function look(client: Client, target: ProbeTarget, budget: Budget): Promise<ProbeResult> {
  const limit = Math.ceil(budget.total / 1000);
  let result = await execute(client, briefProbeScript(target.request, limit), budget);
  let parsed = parseFacts(result.stdout);
  if (!parsed.ok) {
    result = await execute(client, probeScript(target.request, limit), budget);
    parsed = parseFacts(result.stdout);
  }
  const milliseconds = budget.spent;
  if (!parsed.ok) {
    const reason = `logged in, but the script gave no facts: ${whyNot(result, parsed.error)}`;
    return { class: "degraded", facts: null, reason, milliseconds };
  }
  const facts = parsed.value;
  const reason = shortcoming(facts, target.connection.user);
  if (reason !== null) return { class: "degraded", facts, reason, milliseconds };
  return { class: "ready", facts, milliseconds };
}

function shortcoming(
  facts: { error: string | null; python: unknown; elevated: boolean },
  user: string,
): string | null {
  if (facts.python === null) return "python3 is missing";
  if (facts.error !== null) return facts.error;
  if (!facts.elevated) return `${user} is neither root nor has passwordless sudo`;
  return null;
}

/** The last words of a script say more than that there was no JSON. */
function whyNot({ code, stderr }: RemoteResult, parseError: string): string {
  const last = clean(stderr).trim().split("\n").at(-1)?.slice(0, 200);
  if (code === 124 || code === 137) return "it ran out of time on the host";
  if (code !== 0 && last) return `exit code ${code ?? "unknown"}, ${last}`;
  return parseError;
}
