/** Which hosts' joins take an auth key, and what becomes of those that cannot have one. Pure. */

import { hold } from "../converge/work";
import { needsKey } from "../payload/tailnetJoin";
import { type Task } from "./rollout";

export type JoiningTask = Task & { readonly join: NonNullable<Task["join"]> };

/** True for a host that needs an auth key now. */
export function isJoining(task: Task): task is JoiningTask {
  const { join, facts } = task;
  return (
    join !== undefined && join.work.kind === "needed" && (!facts || needsKey(join.spec, facts))
  );
}

/** The host without its join, which waits; the rest of it goes on. */
export function waitingFor(task: JoiningTask, why: string): Task {
  const text = `tailnet: ${why}`;
  const work = hold(text);
  return {
    ...task,
    join: { ...task.join, work, key: null },
    warnings: [...task.warnings, text],
  };
}
