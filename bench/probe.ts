/**
 * What a probe costs beside what its handshakes cost: N hosts on loopback addresses, all served by one real sshd of
 * this machine. Real hosts run the script on cores of their own, so it is answered from a file first, and really run
 * in a third column, where all scripts share these cores.
 *
 *   node -e 'require(require("./scripts/bundle.js").bundle("bench/probe.ts", ["ssh2"]))' [N ...]
 *
 * N defaults to 50 and 500. $SSHD is another path than /usr/sbin/sshd (package openssh-server).
 */

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { utils } from "ssh2";
import { packAgent } from "../payload/agent";
import { probeScript } from "../payload/remoteText";
import { type FactsRequest } from "../payload/spec";
import { Budget } from "../probe/budget";
import { makeSwitchboard, withLogin } from "../probe/dial";
import { probeFleet, runOnHost } from "../probe/probe";
import { type ProbeTarget } from "../probe/types";

const PORT = 20_222;
const PORT_OF_FILE = 20_223;
const SSHD = process.env["SSHD"] ?? "/usr/sbin/sshd";

/** Many scripts on these cores at once would only make each of them late; real hosts have their own. */
const PARALLEL = 2 * availableParallelism();

interface Sshd {
  readonly keyPath: string;
  readonly hostKey: string;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** @param answer what every command answers, in place of being run */
async function startSshd(port: number, answer?: string): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), "bench-probe-"));
  const host = utils.generateKeyPairSync("ed25519");
  const operator = utils.generateKeyPairSync("ed25519");
  const write = (name: string, content: string) => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const config = [
    `Port ${port}`,
    "ListenAddress 0.0.0.0",
    `HostKey ${write("host", host.private)}`,
    `AuthorizedKeysFile ${write("authorized", `${operator.public}\n`)}`,
    `PidFile ${join(directory, "pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "MaxStartups 1000",
    "LogLevel QUIET",
  ];
  if (answer !== undefined)
    config.push(`ForceCommand cat > /dev/null; cat ${write("answer", answer)}`);
  if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
  const server = spawn(SSHD, ["-D", "-e", "-f", write("config", config.join("\n"))], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  let isOver = false;
  const ended = new Promise<void>((resolve) => {
    server.once("exit", () => resolve()).once("error", () => resolve());
  }).then(() => void (isOver = true));
  const stop = async () => {
    server.kill();
    await ended;
    rmSync(directory, { recursive: true });
  };
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 100 || isOver) {
      await stop();
      throw new Error(`${SSHD} did not start: install openssh-server, or name it in $SSHD`);
    }
    await sleep(50);
  }
  return {
    keyPath: write("operator", operator.private),
    port,
    hostKey: host.public.split(" ").slice(0, 2).join(" "),
    stop,
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => resolve(true)).once("error", () => resolve(false));
    socket.once("data", () => socket.destroy());
  });
}

function makeTargets(count: number, { keyPath, hostKey, port }: Sshd): ProbeTarget[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `h${index + 1}`;
    const request: FactsRequest = {
      node: name,
      agent: packAgent().digest,
      aiServicePath: null,
      interpreter: "python3",
      imports: ["json"],
      user: "root",
      files: [],
      service: null,
      secrets: [],
      manager: null,
      release: null,
      address: "127.0.0.1",
      port: 8770,
      source: null,
      tools: [],
      services: [],
      firewall: null,
      startScript: null,
    };
    // Every address of its own is a gateway of its own.
    const host = `127.8.${Math.floor(index / 250)}.${(index % 250) + 1}`;
    const { username } = userInfo();
    const connection = { host, port, user: username, keyPath, hostKey, jump: null };
    return { name, connection, request };
  });
}

async function logIn(targets: readonly ProbeTarget[]): Promise<number> {
  const board = makeSwitchboard();
  const done = await Promise.allSettled(
    targets.map(({ connection }) =>
      withLogin(connection, board, new Budget(10_000), () => Promise.resolve()),
    ),
  );
  return done.filter(({ status }) => status === "fulfilled").length;
}

async function probe(targets: readonly ProbeTarget[], parallel?: number): Promise<string> {
  const counts = new Map<string, number>();
  for (const result of (await probeFleet(targets, { parallel })).values()) {
    const what = result.class === "ready" ? "ready" : `${result.class}: ${result.reason}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, hosts]) => `${hosts} ${what}`).join(", ");
}

/** Wall time, and the CPU time of this process alone. */
async function timed<T>(name: string, run: () => Promise<T>): Promise<void> {
  const begun = performance.now();
  const before = process.cpuUsage();
  const value = await run();
  const { user, system } = process.cpuUsage(before);
  const wall = ((performance.now() - begun) / 1000).toFixed(1);
  const own = ((user + system) / 1e6).toFixed(1);
  process.stdout.write(`  ${name.padEnd(26)} ${wall} s, ${own} s of CPU here: ${String(value)}\n`);
}

/** What this machine itself answers to a probe. */
async function askOnce(sshd: Sshd): Promise<string> {
  const [target] = makeTargets(1, sshd);
  if (!target) throw new Error("no target");
  const result = await runOnHost(target.connection, probeScript(target.request));
  if (!result.ok) throw new Error(result.reason);
  return result.stdout;
}

async function main(): Promise<void> {
  // Started with `node -e`, there is no path of a script among them.
  const sizes = process.argv.slice(1).map(Number).filter(Number.isInteger);
  const real = await startSshd(PORT);
  const file = await startSshd(PORT_OF_FILE, await askOnce(real));
  try {
    for (const count of sizes.length > 0 ? sizes : [50, 500]) {
      process.stdout.write(`${count} hosts, ${availableParallelism()} cores\n`);
      const targets = makeTargets(count, file);
      await timed("login only", async () => `${await logIn(targets)} logged in`);
      await timed("probe, script from a file", () => probe(targets));
      await timed("probe, script run here", () => probe(makeTargets(count, real), PARALLEL));
    }
  } finally {
    await Promise.all([real.stop(), file.stop()]);
  }
}

void main();
