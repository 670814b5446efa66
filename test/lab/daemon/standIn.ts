import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

import { eventually } from "../../eventually";
import { ensurePython } from "./venv";

const SOURCE = path.join(__dirname, "..", "..", "..", "lab", "daemon");
/** For every file that starts stand-ins: time for slow machines, and the interpreter before the first test. */
export function prepareStandIns(): void {
  jest.setTimeout(300_000);
  beforeAll(() => void ensurePython());
}

const started = new Set<ChildProcess>();
const folders: string[] = [];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StandIn {
  readonly pid: number;
  readonly dir: string;
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process is gone. */
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** An ai-service folder; a fresh copy when left out. */
  readonly dir?: string;
  readonly python?: string;
}

/** Returns a folder that `cleanUp` removes. */
export function temporaryFolder(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stand-in-"));
  folders.push(dir);
  return dir;
}

/** Returns a fresh copy of the stand-in's ai-service folder, with a hosts file if given. */
export function checkout(hostsYaml?: string): string {
  const dir = temporaryFolder();
  fs.cpSync(SOURCE, dir, { recursive: true, filter: (file) => !file.endsWith("__pycache__") });
  if (hostsYaml !== undefined) {
    fs.writeFileSync(path.join(dir, "config", "distributed_hosts.yaml"), hostsYaml);
  }
  return dir;
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(true)));
  });
}

/** Ports below the range of outgoing connections; each of jest's workers has a share of its own. */
const FIRST_PORT = 12_000;
const SHARES = 6;
const SHARE = 3_000;
const share = Number(process.env["JEST_WORKER_ID"] ?? 1) % SHARES;
const given = new Set<number>();

/**
 * Returns a port that is free together with port+2, and that nobody else is given before its process has bound it:
 * no other worker, and nobody in this one.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + share * SHARE + Math.floor(Math.random() * (SHARE - 2));
    const both = [port, port + 2];
    if (both.some((one) => given.has(one))) continue;
    if ((await canListen(port)) && (await canListen(port + 2))) {
      both.forEach((one) => given.add(one));
      return port;
    }
  }
}

/** Starts the stand-in with nothing in its environment but what it is given. */
export function start(options: StartOptions = {}): StandIn {
  const dir = options.dir ?? checkout();
  const child = spawn(
    options.python ?? ensurePython(),
    ["scripts/p2p_orchestrator.py", ...(options.args ?? [])],
    {
      cwd: dir,
      env: {
        PATH: process.env.PATH,
        PYTHONPATH: dir,
        PYTHONDONTWRITEBYTECODE: "1",
        RINGRIFT_P2P_PORT: "1",
        ...options.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  started.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr?.on("data", (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => {
      started.delete(child);
      resolve({ code, signal });
    });
  });
  return {
    pid: child.pid ?? 0,
    dir,
    stdout: () => stdout,
    stderr: () => stderr,
    signal: (name) => void child.kill(name),
    ended,
  };
}

/** Returns the flags of a node that skips the lsof check. */
export function nodeFlags(id: string, host: string, port: number): string[] {
  return ["--no-zombie-check", "--node-id", id, "--host", host, "--port", String(port)];
}

/** Ends what is still running, by its process id, and removes the folders. */
export async function cleanUp(): Promise<void> {
  const ends = [...started].map(
    (child) => new Promise((resolve) => child.once("close", resolve).kill("SIGKILL")),
  );
  await Promise.all(ends);
  for (const dir of folders.splice(0)) fs.rmSync(dir, { recursive: true, force: true });
}

/** Returns the JSON of a GET. */
export async function getJson(url: string): Promise<Record<string, unknown>> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  return (await answer.json()) as Record<string, unknown>;
}

/** Waits for /health of a node and returns it. */
export function healthy(host: string, port: number): Promise<Record<string, unknown>> {
  return eventually(() => getJson(`http://${host}:${port}/health`));
}

/** Returns whether a TCP port accepts connections. */
export function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
