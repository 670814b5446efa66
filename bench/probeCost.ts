/** What a probe of many hosts costs this process, beside what their bare handshakes cost it. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { Client, utils } from "ssh2";
import { factsRequest } from "../payload/compare";
import { briefProbeScript, probeScript } from "../payload/remoteText";
import { renderAbsent } from "../payload/render";
import { type FactsRequest } from "../payload/spec";
import { HANDSHAKES_PER_CORE } from "../probe/limits";
import { probeFleet } from "../probe/probe";
import { type ProbeTarget } from "../probe/types";

export interface SshServers {
  readonly port: number;
  readonly hostKey: string;
  readonly operatorKey: string;
  /** The operator's key as a file. */
  readonly keyPath: string;
  readonly stop: () => Promise<void>;
}

/** Wall time and this process's own processor time, in seconds; the servers' is not among them. */
export interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

const nothing = renderAbsent("h1");
const REQUEST = factsRequest(nothing, nothing, null);

/** @param program bundle of bench/sshServers.ts */
export async function startServers(program: string): Promise<SshServers> {
  const folder = mkdtempSync(join(tmpdir(), "bench-probe-"));
  const server = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(server, "exit");
  // What a host says is as long as what this machine says.
  server.stdin.end(answerOfThisMachine());
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const said = JSON.parse(line.toString()) as Pick<SshServers, "port" | "hostKey" | "operatorKey">;
  const keyPath = join(folder, "operator");
  writeFileSync(keyPath, said.operatorKey, { mode: 0o600 });
  return {
    ...said,
    keyPath,
    stop: async () => {
      server.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

function answerOfThisMachine(): string {
  const { command, stdin } = probeScript(REQUEST);
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
    input: stdin,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the probe's script ended with ${status}: ${stderr}`);
  return stdout;
}

/** Every host has an address of its own, as hosts do that share no gateway. */
export function makeTargets(
  count: number,
  { keyPath, hostKey, port }: Pick<SshServers, "keyPath" | "hostKey" | "port">,
): ProbeTarget[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `h${index + 1}`;
    const host = `127.8.${Math.floor(index / 250)}.${(index % 250) + 1}`;
    const connection = { host, port, user: "root", keyPath, hostKey, jump: null };
    return { name, connection, request: { ...REQUEST, node: name } };
  });
}

/**
 * As many handshakes at a time as the probe makes, with nothing around them: connect, log in, hang up.
 * @param asks whether the probe's script is sent and its answer awaited in between
 */
async function shakeHands(
  targets: readonly ProbeTarget[],
  { hostKey, operatorKey }: SshServers,
  asks: boolean,
): Promise<void> {
  const limit = pLimit(HANDSHAKES_PER_CORE * availableParallelism());
  const key = utils.parseKey(operatorKey);
  if (key instanceof Error) throw key;
  const pinned = Buffer.from(hostKey.split(" ")[1] ?? "", "base64");
  const one = ({ connection: { host, port, user }, request }: ProbeTarget) =>
    new Promise<void>((resolve, reject) => {
      const client = new Client();
      client
        .once("ready", () => (asks ? ask(client, request) : client.end()))
        .once("close", resolve)
        .once("error", reject);
      client.connect({
        host,
        port,
        username: user,
        algorithms: { serverHostKey: ["ssh-ed25519"] },
        hostVerifier: (bytes: Buffer) => bytes.equals(pinned),
        authHandler: [{ type: "publickey", username: user, key } as never],
      });
    });
  await Promise.all(targets.map((target) => limit(() => one(target))));
}

function ask(client: Client, request: FactsRequest): void {
  const { command, stdin } = briefProbeScript(request);
  client.exec(command, (error, channel) => {
    if (error) return void client.destroy();
    channel.resume().once("close", () => client.end());
    channel.end(stdin);
  });
}

async function probe(targets: readonly ProbeTarget[]): Promise<void> {
  for (const [name, result] of await probeFleet(targets))
    if (result.class !== "ready") throw new Error(`${name}: ${result.class}: ${result.reason}`);
}

async function costOf(run: () => Promise<void>): Promise<Cost> {
  const begun = performance.now();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return { wall: (performance.now() - begun) / 1000, cpu: (user + system) / 1e6 };
}

/** Least of several: what a machine does besides can only make a round dearer. */
const least = (costs: readonly Cost[]): Cost => ({
  wall: Math.min(...costs.map(({ wall }) => wall)),
  cpu: Math.min(...costs.map(({ cpu }) => cpu)),
});

/** `floor`: handshakes alone; `asked`: handshakes and one bare command, with the words that a probe of a known host sends and gets. */
export interface ProbeCosts {
  readonly floor: Cost;
  readonly asked: Cost;
  readonly probe: Cost;
}

/**
 * Measures all three in turns, after a first round that only warms up.
 * @param count hosts
 * @param rounds of each, of which the cheapest counts
 */
export async function measureProbe(
  servers: SshServers,
  count: number,
  rounds: number,
): Promise<ProbeCosts> {
  const targets = makeTargets(count, servers);
  const found: ProbeCosts[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const floor = await costOf(() => shakeHands(targets, servers, false));
    const asked = await costOf(() => shakeHands(targets, servers, true));
    const full = await costOf(() => probe(targets));
    if (round > 0) found.push({ floor, asked, probe: full });
  }
  return {
    floor: least(found.map((costs) => costs.floor)),
    asked: least(found.map((costs) => costs.asked)),
    probe: least(found.map((costs) => costs.probe)),
  };
}
