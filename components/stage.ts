/**
 * Brings the host agent, and long contents, to hosts that are about to be changed. They are the same for every
 * host and far larger than what is said to one, so they go over SSH beside the resources instead of through
 * every state entry.
 */

import { packAgent } from "../payload/agent";
import { packContent, stageScript } from "../payload/remoteText";
import { parseVerdict } from "../payload/verdict";
import { makeSwitchboard, type Switchboard } from "../probe/switchboard";
import { runOnHost } from "../probe/probe";
import { type Task } from "./rollout";

/** Milliseconds; a host without Python gets it first. */
const STAGE_DEADLINE = 60_000;
const STAGE_DEADLINE_WITHOUT_PYTHON = 320_000;

/** True when a command of the host will run the agent, and the probe did not find it there. */
function needsAgent(task: Task): boolean {
  const works = [task.prepare.work, task.secrets?.work, task.join?.work, task.activate.work];
  return (
    works.some((work) => work?.kind === "needed") &&
    task.facts?.installedAgent !== packAgent().digest
  );
}

/** Digests of contents that `prepare` is going to write now. */
export function missingContents({ prepare, contents, facts }: Task): string[] {
  const { spec, work } = prepare;
  if (work.kind !== "needed" || spec.state === "absent") return [];
  const differing = spec.files.filter(({ path, digest }) => facts?.files[path]?.digest !== digest);
  return [...new Set(differing.map(({ digest }) => digest))].filter((one) => contents.has(one));
}

/** @returns tasks whose host did not take what it needs wait for the next run; the others are as they were */
export async function stageAll(tasks: readonly Task[]): Promise<Task[]> {
  const board = makeSwitchboard();
  const packed = new Map<string, string>();
  const pack = (digest: string, text: string): string => {
    const known = packed.get(digest) ?? packContent(text);
    packed.set(digest, known);
    return known;
  };
  const staged = await Promise.all(
    tasks.map(async (task) => {
      const missing = missingContents(task);
      if (missing.length === 0 && !needsAgent(task)) return task;
      const contents = Object.fromEntries(
        missing.map((digest) => [digest, pack(digest, task.contents.get(digest) ?? "")]),
      );
      const failure = await stage(task, contents, board);
      return failure === undefined ? task : postpone(task, failure);
    }),
  );
  await board.credentials.close();
  return staged;
}

async function stage(
  task: Task,
  contents: Readonly<Record<string, string>>,
  board: Switchboard,
): Promise<string | undefined> {
  const deadline = task.facts?.python ? STAGE_DEADLINE : STAGE_DEADLINE_WITHOUT_PYTHON;
  const script = stageScript(contents);
  const result = await runOnHost(task.connection, { ...script, deadline }, board);
  if (!result.ok) return result.reason;
  const verdict = parseVerdict(result.stdout);
  if (!verdict.ok) return verdict.error;
  return verdict.value.ok ? undefined : (verdict.value.error ?? "the agent could not be installed");
}

function postpone(task: Task, failure: string): Task {
  const work = {
    kind: "waiting",
    cause: "unreachable",
    why: `unreachable: the agent did not get there: ${failure}`,
  } as const;
  return {
    ...task,
    prepare: { ...task.prepare, work },
    secrets: task.secrets && { ...task.secrets, work },
    ...(task.join ? { join: { ...task.join, work, key: null } } : {}),
    activate: { ...task.activate, work },
    warnings: [...task.warnings, work.why],
  };
}
