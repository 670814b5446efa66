/**
 * What a probe costs beside what its handshakes cost: N hosts on loopback addresses, all served by one real sshd of
 * this machine, so that client, servers and scripts share its cores.
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
import { type FactsRequest } from "../payload/spec";
import { Budget } from "../probe/budget";
import { makeSwitchboard, withLogin } from "../probe/dial";
import { probeFleet } from "../probe/probe";
import { type ProbeTarget } from "../probe/types";

const PORT = 20_222;
const SSHD = process.env["SSHD"] ?? "/usr/sbin/sshd";

/** Many scripts on these cores at once would only make each of them late; real hosts have their own. */
const PARALLEL = 2 * availableParallelism();

interface Sshd {
  readonly keyPath: string;
  readonly hostKey: string;
  readonly stop: () => Promise<void>;
}

async function startSshd(): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), "bench-probe-"));
  const host = utils.generateKeyPairSync("ed25519");
  const operator = utils.generateKeyPairSync("ed25519");
  const write = (name: string, content: string) => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const config = [
    `Port ${PORT}`,
    "ListenAddress 0.0.0.0",
    `HostKey ${write("host", host.private)}`,
    `AuthorizedKeysFile ${write("authorized", `${operator.public}\n`)}`,
    `PidFile ${join(directory, "pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "PermitRootLogin prohibit-password",
    "MaxStartups 1000",
    "LogLevel ERROR",
  ];
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
  for (let tries = 0; !(await answers()); tries += 1) {
    if (tries > 100 || isOver) {
      await stop();
      throw new Error(`${SSHD} did not start: install openssh-server, or name it in $SSHD`);
    }
    await sleep(50);
  }
  return {
    keyPath: write("operator", operator.private),
    hostKey: host.public.split(" ").slice(0, 2).join(" "),
    stop,
  };
}

function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(PORT, "127.0.0.1");
    socket.once("data", () => resolve(true)).once("error", () => resolve(false));
    socket.once("data", () => socket.destroy());
  });
}

function makeTargets(count: number, { keyPath, hostKey }: Sshd): ProbeTarget[] {
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
      startScript: null,
    };
    // Every address of its own is a gateway of its own.
    const host = `127.8.${Math.floor(index / 250)}.${(index % 250) + 1}`;
    const { username } = userInfo();
    const connection = { host, port: PORT, user: username, keyPath, hostKey, jump: null };
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

async function probe(targets: readonly ProbeTarget[]): Promise<Map<string, number>> {
  const results = await probeFleet(targets, { parallel: PARALLEL });
  const counts = new Map<string, number>();
  for (const result of results.values()) {
    const what = result.class === "ready" ? "ready" : `${result.class}: ${result.reason}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

async function timed<T>(run: () => Promise<T>): Promise<readonly [T, number]> {
  const begun = performance.now();
  const value = await run();
  return [value, (performance.now() - begun) / 1000];
}

async function main(): Promise<void> {
  // Started with `node -e`, there is no path of a script among them.
  const sizes = process.argv.slice(1).map(Number).filter(Number.isInteger);
  const sshd = await startSshd();
  try {
    process.stdout.write(`${availableParallelism()} cores, ${PARALLEL} scripts at a time\n`);
    for (const count of sizes.length > 0 ? sizes : [50, 500]) {
      const targets = makeTargets(count, sshd);
      const [loggedIn, floor] = await timed(() => logIn(targets));
      const [classes, full] = await timed(() => probe(targets));
      const told = [...classes].map(([what, hosts]) => `${hosts} ${what}`).join(", ");
      process.stdout.write(
        `${count} hosts: login only ${floor.toFixed(1)} s (${loggedIn} in), probe ${full.toFixed(1)} s (${told})\n`,
      );
    }
  } finally {
    await sshd.stop();
  }
}

void main();
