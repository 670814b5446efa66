/** Watches voters from the lab's own network, apart from everything that is tested. */

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Lab } from "../../lab/fleet/lab";
import { leaderOf } from "../../lab/hosts/boot";

/** One look at all nodes. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Nodes that answered `/health` under their own name, with their uptime in seconds. */
  readonly up: Readonly<Record<string, number>>;
  /** Nodes that gave no answer in time, as a host does that is cut off, or a machine that is overwhelmed. */
  readonly late: readonly string[];
}

const INTERVAL_SECONDS = 0.1;
/** A daemon that is up answers within this however busy the machine is. */
const TIMEOUT_SECONDS = 20;

/**
 * @example
 * const observer = Observer.start(lab, ["h1", "h2", "h3"]);
 * const samples = await observer.stop();
 */
export class Observer {
  private readonly samples: Sample[] = [];
  private readonly ended: Promise<void>;

  private constructor(private readonly child: ChildProcess) {
    if (child.stdout === null) throw new Error("the observer has no output");
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => this.samples.push(JSON.parse(line) as Sample));
    this.ended = new Promise((resolve) => lines.once("close", resolve));
  }

  /**
   * Begins to watch; ends with stop(), and with this process.
   * @param from `loopback`: each from its own host's, where daemons listen that nobody reaches from outside
   */
  static start(
    lab: Lab,
    hosts: readonly string[],
    from: "outside" | "loopback" = "outside",
  ): Observer {
    const nodes = hosts.map((host) => {
      const { name, address, port } = lab.machine(host);
      if (from === "outside") return `${name}=${address}:${port}`;
      const namespace = `/proc/${lab.init}/root/proc/${leaderOf(lab, host)}/ns/net`;
      return `${name}=127.0.0.1:${port}@${namespace}`;
    });
    const script = join(__dirname, "observer.py");
    const words = [String(INTERVAL_SECONDS), String(TIMEOUT_SECONDS), ...nodes];
    const [command = "", ...argv] = lab.argv(["python3", "-IB", script, ...words]);
    return new Observer(spawn(command, argv, { stdio: ["pipe", "pipe", "inherit"] }));
  }

  /** Looks of a time, as far as their answers are in, in the order of their beginning. */
  between(from: number, until: number): Sample[] {
    return this.samples.filter(({ at }) => from <= at && at <= until).sort((a, b) => a.at - b.at);
  }

  /** Waits until a look has found this many nodes up. */
  async seen(count: number, milliseconds: number): Promise<boolean> {
    const end = Date.now() + milliseconds;
    while (Date.now() < end) {
      const last = this.samples.at(-1);
      if (last && Object.keys(last.up).length >= count) return true;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return false;
  }

  /** Every look, in the order of their beginning, once the last answer is in. */
  async stop(): Promise<Sample[]> {
    this.child.stdin?.end();
    await this.ended;
    return this.samples.sort((a, b) => a.at - b.at);
  }
}

/** A time in which a node may be away because the test took it down. */
export interface Killed {
  readonly node: string;
  readonly from: number;
  readonly until: number;
}

/**
 * Looks at which the quorum did not stand, from the first one at which it did.
 * @param killed voters that the test itself took down; they count as up meanwhile
 */
export function withoutQuorum(
  samples: readonly Sample[],
  voters: readonly string[],
  quorum: number,
  killed: readonly Killed[] = [],
): Sample[] {
  const stands = (sample: Sample) =>
    voters.filter(
      (voter) =>
        voter in sample.up ||
        killed.some(
          ({ node, from, until }) => node === voter && from <= sample.at && sample.at <= until,
        ),
    ).length >= quorum;
  const first = samples.findIndex((sample) => stands(sample));
  return first < 0 ? [] : samples.slice(first).filter((sample) => !stands(sample));
}

/** How often each node was started anew: its uptime went back. */
export function restarts(samples: readonly Sample[]): Record<string, number> {
  const found: Record<string, number> = {};
  const before: Record<string, number> = {};
  for (const { up } of samples) {
    for (const [node, uptime] of Object.entries(up)) {
      const last = before[node];
      found[node] ??= 0;
      // Two looks may be answered in the other order, a moment apart.
      if (last !== undefined && uptime < last - 1) found[node] += 1;
      if (last === undefined || uptime > last || uptime < last - 1) before[node] = uptime;
    }
  }
  return found;
}

/** What a reader wants to know of many looks, from the first quorum on. */
export function summary(all: readonly Sample[], voters: readonly string[], quorum: number): string {
  const first = all.findIndex(({ up }) => voters.filter((voter) => voter in up).length >= quorum);
  const samples = first < 0 ? [] : all.slice(first);
  const counts = samples.map(({ up }) => voters.filter((voter) => voter in up).length);
  const gaps = samples.slice(1).map(({ at }, index) => at - (samples[index]?.at ?? at));
  const least = counts.length === 0 ? 0 : Math.min(...counts);
  const widest = gaps.length === 0 ? 0 : Math.max(...gaps);
  return `${samples.length} looks, at least ${least} of ${voters.length} voters up, widest gap ${widest} ms`;
}
