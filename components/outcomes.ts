/** From what was planned and what came back to one outcome for every host of the file. */

import { type Work } from "../converge/work";
import { type FleetPlan, type HostPlan } from "../hosts/plan/types";
import { type Outcome, type OutcomeKind } from "../health/outcome";
import { failureOf, type Task, type TaskResult } from "./rollout";
import { notesOf } from "./warnings";

/** @param notesFor what is told of a host beside what it says itself */
export function outcomesOf(
  plan: FleetPlan,
  tasks: ReadonlyMap<string, Task>,
  results: ReadonlyMap<string, TaskResult>,
  notesFor: (host: string) => readonly string[],
): Outcome[] {
  return [...plan.hosts.values()].map((host) => {
    const task = tasks.get(host.name);
    const result = results.get(host.name);
    const isVoter = host.action === "deploy" && host.voter;
    const role = !task ? "none" : isVoter ? "voter" : "worker";
    return {
      host: host.name,
      provider: host.provider,
      role,
      ...(task && result ? endOf(task, result, notesFor(host.name)) : { ...idle(host), notes: [] }),
    };
  });
}

function idle(host: HostPlan): { kind: OutcomeKind; detail: string } {
  const kind = host.action === "refused" ? "refused" : "skipped";
  return { kind, detail: host.reason };
}

function endOf(
  task: Task,
  result: TaskResult,
  more: readonly string[],
): Pick<Outcome, "kind" | "detail" | "notes"> {
  const endings = [result.prepare, result.secrets, result.join, result.activate];
  const verdicts = endings.flatMap((ending) => (ending.kind === "verdict" ? [ending.verdict] : []));
  const asked = { prepare: task.prepare.spec, activate: task.activate.spec };
  const notes = [
    ...new Set([
      ...notesOf(asked, task.facts),
      ...more,
      ...verdicts.flatMap((verdict) => verdict.notes),
    ]),
  ];
  const failures = endings.map(failureOf).filter((failure) => failure !== undefined);
  if (failures.length > 0) return { kind: "failed", detail: failures.join("; "), notes };
  const blocked = verdicts.find(({ outcome }) => outcome === "blocked");
  if (blocked) return { kind: "blocked", detail: blocked.error ?? "blocked", notes };
  const works = [task.prepare, task.secrets, task.join].flatMap((step) =>
    step ? [step.work] : [],
  );
  const waiting = [result.activateWork, ...works].find((work) => work.kind === "waiting");
  if (waiting?.kind === "waiting") return { kind: waiting.cause, detail: waiting.why, notes };
  if (task.waits !== undefined) return { kind: "held", detail: task.waits, notes };
  const changed = verdicts.flatMap(({ steps }) =>
    steps.filter(({ status }) => status === "changed"),
  );
  const wished = task.activate.spec.state === "absent" ? "absent" : "healthy";
  if (verdicts.length > 0) {
    const names = changed.map(({ name }) => placeless(name, task)).join(", ");
    return { kind: wished === "absent" ? "absent" : "changed", detail: names, notes };
  }
  const planned = driftOf([...works, task.activate.work], task);
  return planned === ""
    ? { kind: wished, detail: "", notes }
    : { kind: "planned", detail: planned, notes };
}

/** The same change on two hosts reads the same, wherever their checkouts are. */
function placeless(name: string, { prepare: { spec } }: Task): string {
  if (spec.state === "absent") return name;
  return name.replace(`${spec.aiServicePath}/`, "<ai-service>/");
}

/** What preview is going to change; the resources' own difference says from what to what. */
function driftOf(works: readonly Work[], task: Task): string {
  const drift = works.flatMap((work) => (work.kind === "needed" ? work.drift : []));
  return [...new Set(drift.map(({ what }) => placeless(what, task)))].join(", ");
}
