/** One disturbed `up` that has real work on every host, and everything that must hold during and after it. */

import { type RunResult } from "../../lab/fleet/run";
import { type LabFleet } from "./labFleet";
import { restarts, type Observer, withoutQuorum } from "./observer";

/** What is done to a run, and how it is undone. */
export interface Disturbance {
  readonly name: string;
  /** The host it is done to; undefined where it is done to the run itself. */
  readonly host?: string;
  readonly before?: () => Promise<unknown>;
  /** Begins with the run's first restart of a daemon. */
  readonly during?: () => Promise<unknown>;
  readonly undo?: () => Promise<unknown>;
}

export interface Watched {
  readonly voters: readonly string[];
  readonly quorum: number;
  readonly live: readonly string[];
}

/** A worker that becomes a relay, or no longer is one: every other host gets another list of peers. */
export function changeEveryHost(fleet: LabFleet): void {
  const isRelay = fleet.read().includes("relay_capable: true");
  fleet.edit(["hosts", "h6", "relay_capable"], isRelay ? undefined : true);
}

interface State {
  readonly deployment: {
    readonly resources?: readonly { readonly urn: string }[];
    readonly pending_operations?: readonly { readonly resource: { readonly urn: string } }[];
  };
}

async function stateOf(fleet: LabFleet): Promise<State> {
  const { stdout } = await fleet.pulumi("stack", "export");
  return JSON.parse(stdout) as State;
}

/** @returns everything that was wrong; empty when all is well */
export async function tryOut(
  fleet: LabFleet,
  observer: Observer,
  watched: Watched,
  disturbance: Disturbance,
): Promise<string[]> {
  const trouble: string[] = [];
  const begun = Date.now();
  changeEveryHost(fleet);
  await disturbance.before?.();
  const running = fleet.up();
  await disturbance.during?.();
  const first = await running;
  trouble.push(...(await doubted(fleet)));
  await disturbance.undo?.();
  const undone = Date.now();

  const next = await fleet.nextUp();
  if (next.code !== 0) trouble.push(`the next up ended with ${next.code}\n${shown(first, next)}`);
  const preview = await fleet.pulumi("preview", "--expect-no-changes");
  if (preview.code !== 0) trouble.push(`not settled:\n${shown(preview)}`);
  const { pending_operations: pending = [] } = (await stateOf(fleet)).deployment;
  if (pending.length > 0) trouble.push(`pending: ${pending.map((one) => one.resource.urn).join()}`);
  const times = await fleet.startTimes(watched.live);
  for (const [host, time] of Object.entries(times))
    if (time === null) trouble.push(`${host} is down`);

  const samples = observer.between(begun, Date.now());
  const killed =
    disturbance.host === undefined
      ? []
      : [{ node: disturbance.host, from: begun, until: undone + BACK_MILLISECONDS }];
  for (const { at, up, late } of withoutQuorum(samples, watched.voters, watched.quorum, killed))
    trouble.push(
      `no quorum at ${new Date(at).toISOString()}: ${Object.keys(up).join() || "nobody"}, late: ${late.join() || "nobody"}`,
    );
  // The change is one restart for each host, whatever happens to another one.
  for (const [host, count] of Object.entries(restarts(samples)))
    if (host !== disturbance.host && count > 1)
      trouble.push(`${host} was restarted ${count} times`);
  return trouble;
}

/** A daemon that was taken down needs this long to be started again by its supervisor. */
const BACK_MILLISECONDS = 30_000;

function shown(...results: readonly RunResult[]): string {
  return results.map(({ code, stdout, stderr }) => `exit ${code}\n${stdout}${stderr}`).join("\n");
}

/** A state file that no engine could go on from. */
async function doubted(fleet: LabFleet): Promise<string[]> {
  try {
    const { resources = [] } = (await stateOf(fleet)).deployment;
    const urns = resources.map(({ urn }) => urn);
    return new Set(urns).size === urns.length ? [] : ["a resource is in the state twice"];
  } catch (error) {
    return [`the state cannot be exported: ${(error as Error).message}`];
  }
}
