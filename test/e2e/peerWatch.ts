/** Watches on every host whom its daemon believes alive, apart from everything that is tested. */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Lab } from "../../lab/fleet/lab";
import { insideHost } from "../../lab/hosts/boot";

/** One look at one daemon. */
interface Look {
  /** When it began, and when it had its answer: milliseconds since 1970. */
  readonly at: number;
  readonly end: number;
  /** When the daemon started, in seconds since 1970; null: it does not listen. */
  readonly started: number | null;
  readonly alive: readonly string[] | null;
}

export interface Watched {
  readonly looks: number;
  /** Most milliseconds between two looks at one host. */
  readonly widestGap: number;
  /** `host at milliseconds: missing`, for every look after which a daemon that had all peers had fewer. */
  readonly lost: readonly string[];
  /** Most milliseconds from a daemon's first answer after its start until it had met all others. */
  readonly meeting: number;
  /** Most hosts whose daemons were away at the same time, and for how many milliseconds the quorum did not stand. */
  readonly mostAway: number;
  readonly withoutQuorum: number;
  /** Daemons that were started anew, by host. */
  readonly restarts: Readonly<Record<string, number>>;
}

export class PeerWatch {
  private constructor(
    private readonly looks: ReadonlyMap<string, Look[]>,
    private readonly children: readonly ChildProcess[],
    private readonly ended: readonly Promise<void>[],
  ) {}

  /** Begins to watch; ends with stop(), and with this process. */
  static start(lab: Lab, hosts: readonly string[]): PeerWatch {
    const script = readFileSync(join(__dirname, "peerWatch.py"), "utf8");
    const looks = new Map(hosts.map((host): [string, Look[]] => [host, []]));
    const children = hosts.map((host) => {
      const argv = insideHost(lab, lab.machine(host).name, ["python3", "-IBc", script]);
      const [command = "", ...rest] = argv;
      return spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
    });
    const ended = children.map((child, index) => {
      if (child.stdout === null) throw new Error("a watch has no output");
      const lines = createInterface({ input: child.stdout });
      const own = looks.get(hosts[index] ?? "");
      lines.on("line", (line) => own?.push(JSON.parse(line) as Look));
      return new Promise<void>((resolve) => lines.once("close", resolve));
    });
    return new PeerWatch(looks, children, ended);
  }

  /** @param quorum daemons that have to be up */
  async stop(quorum: number): Promise<Watched> {
    for (const child of this.children) child.stdin?.end();
    await Promise.all(this.ended);
    return judge(this.looks, quorum);
  }
}

function judge(all: ReadonlyMap<string, readonly Look[]>, quorum: number): Watched {
  const hosts = [...all.keys()];
  const own = [...all].map(([host, looks]) => judgeHost(host, looks, hosts));
  const away = own.flatMap((one) => one.away);
  const times = [...new Set(away.flatMap(([from, until]) => [from, until]))].sort((a, b) => a - b);
  const awayAt = (time: number) =>
    away.filter(([from, until]) => from <= time && time < until).length;
  const lacking = times.map((time, index) =>
    hosts.length - awayAt(time) < quorum ? (times[index + 1] ?? time) - time : 0,
  );
  return {
    looks: Math.min(...[...all.values()].map((looks) => looks.length)),
    widestGap: Math.max(...own.map(({ gap }) => gap)),
    lost: own.flatMap(({ lost }) => lost),
    meeting: Math.max(...own.map(({ meeting }) => meeting)),
    mostAway: Math.max(0, ...times.map(awayAt)),
    withoutQuorum: lacking.reduce((sum, one) => sum + one, 0),
    restarts: Object.fromEntries(own.map(({ host, restarts }) => [host, restarts])),
  };
}

function judgeHost(host: string, looks: readonly Look[], hosts: readonly string[]) {
  const [away, lost]: [[number, number][], string[]] = [[], []];
  let [gap, meeting, restarts, firstAnswer] = [0, 0, 0, 0];
  let gone: number | null = null;
  // Away for certain from the first refusal that had come until the last one that was yet to come: what a busy
  // machine adds to either end must not look like two daemons that are away at once.
  const awayUntil = (time: number): void => {
    if (gone !== null && time > gone) away.push([gone, time]);
    gone = null;
  };
  let refused = 0;
  let hasMet = false;
  let before: Look | undefined;
  let started: number | null = null;
  for (const look of looks) {
    if (before) gap = Math.max(gap, look.at - before.at);
    before = look;
    if (look.alive === null) {
      gone ??= look.end;
      refused = look.at;
      continue;
    }
    awayUntil(refused);
    if (look.started !== started) {
      // The first one was there before anybody watched.
      restarts += started === null ? 0 : 1;
      hasMet = started === null;
      [started, firstAnswer] = [look.started, look.at];
    }
    const missing = hosts.filter((other) => other !== host && !look.alive?.includes(other));
    if (hasMet && missing.length > 0) lost.push(`${host} at ${look.at}: ${missing.join(", ")}`);
    if (hasMet || missing.length > 0) continue;
    hasMet = true;
    meeting = Math.max(meeting, look.at - firstAnswer);
  }
  awayUntil(refused);
  return { host, gap, lost, meeting, away, restarts };
}
