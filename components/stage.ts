/**
 * Brings the host agent to hosts that are about to be changed. It is the same for every host and far larger
 * than what is said to one, so it goes over SSH beside the resources instead of through every state entry.
 */

import { packAgent } from "../payload/agent";
import { stageScript } from "../payload/remoteText";
import { parseVerdict } from "../payload/verdict";
import { makeSwitchboard, type Switchboard } from "../probe/switchboard";
import { runOnHost } from "../probe/probe";
import { type Task } from "./rollout";

/** Milliseconds; a host without Python gets it first. */
const STAGE_DEADLINE = 60_000;
const STAGE_DEADLINE_WITHOUT_PYTHON = 320_000;

/** True when a command of the host will run the agent, and the probe did not find it there. */
function needsAgent(task: Task): boolean {
  const works = [task.prepare.work, task.secrets?.work, task.activate.work];
  return (
    works.some((work) => work?.kind === "needed") &&
    task.facts?.installedAgent !== packAgent().digest
  );
}

/** @returns tasks whose host did not take the agent wait for the next run; the others are as they were */
export async function stageAgents(tasks: readonly Task[]): Promise<Task[]> {
  const board = makeSwitchboard();
  const staged = await Promise.all(
    tasks.map(async (task) => {
      if (!needsAgent(task)) return task;
      const failure = await stage(task, board);
      return failure === undefined ? task : postpone(task, failure);
    }),
  );
  await board.credentials.close();
  return staged;
}

async function stage(task: Task, board: Switchboard): Promise<string | undefined> {
  const deadline = task.facts?.python ? STAGE_DEADLINE : STAGE_DEADLINE_WITHOUT_PYTHON;
  const result = await runOnHost(task.connection, { ...stageScript(), deadline }, board);
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
    activate: { ...task.activate, work },
    warnings: [...task.warnings, work.why],
  };
}
