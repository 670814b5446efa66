/** Deletes the devices of hosts that left the tailnet in this run; one that stays is told, and left to a person. */

import * as pulumi from "@pulumi/pulumi";
import { isLeaving } from "../payload/tailnetJoin";
import { type TailnetApi, TailnetApiError } from "../tailnet/api";
import { type Task, type TaskResult } from "./rollout";
import { tailnetApi } from "./tailscaleSettings";

/** Whether the tailnet is on or not: hosts may be told to leave it by turning it off. */
export async function deleteLeftDevices(
  tasks: ReadonlyMap<string, Task>,
  results: ReadonlyMap<string, TaskResult>,
): Promise<void> {
  const left = [...results].flatMap(([name, result]) => {
    const task = tasks.get(name);
    const device = task?.facts?.tailnet;
    return task && device?.nodeId && hasLeft(task, result)
      ? [{ name, id: device.nodeId, called: device.name ?? device.nodeId }]
      : [];
  });
  if (left.length === 0) return;
  const api = await tailnetApi();
  const told = await Promise.all(
    left.map(async ({ name, id, called }) => ({
      text: `${called} (${name})`,
      why: await deleteDevice(api, id),
    })),
  );
  // What keeps one of them there mostly keeps all, and is told once.
  for (const why of new Set(told.map((one) => one.why))) {
    if (why === undefined) continue;
    const names = told.filter((one) => one.why === why).map(({ text }) => text);
    void pulumi.log.warn(
      `tailnet: logged out, but still listed there until somebody deletes them: ${names.join(", ")}: ${why}`,
    );
  }
}

function hasLeft({ facts, prepare }: Task, result: TaskResult): boolean {
  if (!facts || !isLeaving(prepare.spec, facts)) return false;
  const { activate, prepare: prepared } = result;
  if (prepare.spec.state === "absent")
    return activate.kind === "verdict" && activate.verdict.outcome === "absent";
  return prepared.kind === "verdict" && prepared.verdict.ok;
}

async function deleteDevice(api: TailnetApi | null, id: string): Promise<string | undefined> {
  if (api === null) return "there are no credentials to delete it with";
  try {
    await api.deleteDevice(id);
    return undefined;
  } catch (error) {
    if (error instanceof TailnetApiError) return error.message;
    throw error;
  }
}
