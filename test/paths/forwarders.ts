/** Real forwarders on loopback addresses, with daemons, links that can be cut, and an edge. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { loopbackAddress } from "../../hosts/plan/number";
import { eventually } from "../eventually";

export const FORWARDER = path.join(__dirname, "..", "..", "payload", "forwarder");
export const SECRET = "a fleet secret for tests on loopback";

/**
 * Settings that make a test short; test/e2e/paths.test.ts has the defaults. The timeout is what a path that works may
 * take on a busy machine: two looks in a row that last longer would take it for down.
 */
export const FAST = {
  probeSeconds: 0.3,
  standbySeconds: 0.5,
  timeoutSeconds: 2,
  holdSeconds: 0.5,
  settleSeconds: 2,
};

const closers: (() => Promise<void> | void)[] = [];

/** Ends everything that was started, in the opposite order. */
export async function cleanUp(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

export function temporaryFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "forwarder-"));
  closers.push(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Nobody else listens here: who does holds the port for a test, until its end. */
const HOLDER = "127.9.9.9";

/** Listens, and gives undefined where somebody else does. */
function tryListen(port: number, host: string): Promise<net.Server | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, host, () => resolve(server));
  });
}

const closed = (server: net.Server) => new Promise<void>((done) => server.close(() => done()));

/**
 * A port that nobody listens on, on any address, below the range of outgoing connections. It is this test's until
 * `cleanUp`, also while what listens there is down: other tests run on the same machine.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const everywhere = await tryListen(port, "0.0.0.0");
    if (!everywhere) continue;
    await closed(everywhere);
    const holder = await tryListen(port, HOLDER);
    if (!holder) continue;
    closers.push(() => closed(holder));
    return port;
  }
}

const numbers = new Set<number>();

/** A node number of this test alone: other tests run on the same machine. */
export function freeNumber(): number {
  for (;;) {
    const number = 1_000_000 + Math.floor(Math.random() * 3_000_000);
    if (numbers.has(number)) continue;
    numbers.add(number);
    return number;
  }
}

interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

async function listen(server: net.Server, known?: number, host = "127.0.0.1"): Promise<Listening> {
  const port = known ?? (await freePort());
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  const close = () =>
    new Promise<void>((done) => {
      server.close(() => done());
      for (const socket of sockets) socket.destroy();
    });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      closers.push(close);
      resolve({ port: (server.address() as net.AddressInfo).port, close });
    });
  });
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly from: string;
  readonly headers: http.IncomingHttpHeaders;
}

export interface Daemon extends Listening {
  /** Requests that reached it, those of the forwarder's own look at /health left out. */
  readonly seen: Seen[];
}

/** A daemon that answers with what it saw; `handle` may answer otherwise. */
export async function daemon(
  handle?: (request: http.IncomingMessage, response: http.ServerResponse) => boolean,
  port?: number,
): Promise<Daemon> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    const from = request.socket.remoteAddress ?? "";
    if (from === "127.0.0.1") {
      response.end("{}");
      return;
    }
    seen.push({ method, url, from, headers });
    if (handle?.(request, response)) return;
    const body: Buffer[] = [];
    request.on("data", (part: Buffer) => body.push(part));
    request.on("end", () => {
      const text = Buffer.concat(body).toString("latin1");
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ method, url, from, length: text.length }));
    });
  });
  server.keepAliveTimeout = 60_000;
  return { ...(await listen(server, port)), seen };
}

export interface Link extends Listening {
  /** `refuse` closes the door, `swallow` takes connections and bytes and gives none back. */
  set(mode: "open" | "refuse" | "swallow"): Promise<void>;
}

/** A path that can be cut: a relay to a port of this machine. */
export async function link(target: number): Promise<Link> {
  let mode: "open" | "refuse" | "swallow" = "open";
  const open = new Set<net.Socket>();
  const server = net.createServer((client) => {
    if (mode === "refuse") {
      client.destroy();
      return;
    }
    client.setNoDelay(true);
    const upstream = net.connect(target, "127.0.0.1");
    upstream.setNoDelay(true);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined);
    }
    client.on("data", (data) => {
      if (mode === "open" && !upstream.write(data)) client.pause();
    });
    upstream.on("data", (data) => {
      if (mode === "open" && !client.write(data)) upstream.pause();
    });
    client.on("drain", () => upstream.resume());
    upstream.on("drain", () => client.resume());
    const end = () => {
      open.delete(client);
      open.delete(upstream);
      // A path that swallows does not tell that the other end has gone, either.
      if (mode !== "swallow") for (const socket of [client, upstream]) socket.destroy();
    };
    client.on("close", end);
    upstream.on("close", end);
  });
  let listening = await listen(server);
  const { port } = listening;
  return {
    port,
    close: () => listening.close(),
    set: async (next) => {
      if (next === mode) return;
      if (next !== "swallow") {
        for (const socket of open) socket.destroy();
        open.clear();
      }
      if (next === "refuse") await listening.close();
      else if (mode === "refuse") listening = await listen(server, port);
      mode = next;
    },
  };
}

export interface Edge extends Listening {
  /** Certificate that a client has to trust. */
  readonly certificate: string;
  readonly requests: { host: string; url: string; headers: http.IncomingHttpHeaders }[];
  /** Status that the edge answers itself; null: passes requests on. */
  status: number | null;
}

/**
 * A tunnel's edge for `localhost`: HTTPS in front, plain HTTP to the inbound port behind.
 * @param target a port, or which one is next
 */
export async function edge(target: number | (() => number)): Promise<Edge> {
  const folder = temporaryFolder();
  const [key, certificate] = [path.join(folder, "key.pem"), path.join(folder, "certificate.pem")];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-days", "2", "-keyout", key, "-out", certificate],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
    ],
    { stdio: "ignore" },
  );
  const agent = new http.Agent({ keepAlive: true });
  closers.push(() => agent.destroy());
  const requests: Edge["requests"] = [];
  const state = { status: null as number | null };
  const server = https.createServer(
    { key: fs.readFileSync(key), cert: fs.readFileSync(certificate) },
    (request, response) => {
      const { url = "", method, headers } = request;
      requests.push({ host: headers.host ?? "", url, headers });
      if (state.status !== null) {
        request.resume();
        response.writeHead(state.status).end("the edge says no");
        return;
      }
      const passed = http.request(
        {
          ...{ host: "127.0.0.1", port: typeof target === "number" ? target : target() },
          ...{ path: url, method, agent },
          headers: {
            ...headers,
            "cf-connecting-ip": "198.51.100.7",
            "x-forwarded-for": "198.51.100.7",
          },
        },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
          answer.pipe(response);
        },
      );
      passed.on("error", () => response.headersSent || response.writeHead(502).end());
      request.pipe(passed);
    },
  );
  return Object.assign(state, { ...(await listen(server)), certificate, requests });
}

export interface NodeEntry {
  readonly number: number;
  readonly port: number;
  readonly watch?: boolean;
  readonly inbound?: number;
  readonly methods?: readonly string[];
  readonly device?: string;
  readonly deviceTag?: string;
  readonly tailscale?: string;
  readonly cloudflare?: string;
  readonly direct?: string;
}

export interface Admin {
  readonly settings: string;
  readonly mistake: string | null;
  readonly waiting: string[];
  readonly eventsProblem: string | null;
  readonly tailnetProblem: string | null;
  readonly refused: Record<string, number>;
  readonly connections: Record<string, { open: number; evicted: number; refused: number }>;
  readonly cutOff: string[];
  readonly peers: Record<
    string,
    {
      active: string | null;
      daemon: string | null;
      clockSkewMilliseconds: number;
      requests: number;
      paths: {
        path: string;
        address: string;
        up: boolean | null;
        reason: string;
        milliseconds: number | null;
      }[];
    }
  >;
}

export interface Event {
  readonly what: string;
  readonly peer?: string;
  readonly path?: string;
  readonly reason: string;
}

export interface Forwarder {
  readonly name: string;
  readonly folder: string;
  readonly inbound: number;
  readonly admin: number;
  pid(): number;
  status(): Promise<Admin>;
  events(): Promise<Event[]>;
  /** Writes the files again; the forwarder finds out by itself. */
  configure(own: Record<string, unknown>, fleet?: unknown): void;
  writeRaw(file: "own" | "nodes" | "secret" | "access" | "clock", text: string): void;
  kill(signal: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** Resident memory in MiB, now or at its highest. */
  memory(which?: "VmRSS" | "VmHWM"): number;
}

export interface ForwarderOptions {
  readonly name: string;
  readonly daemonPort: number;
  readonly inbound: number;
  readonly nodes: Record<string, NodeEntry>;
  readonly methods?: readonly string[];
  readonly entry?: string;
  readonly learn?: boolean;
  readonly own?: Record<string, unknown>;
  readonly secret?: string;
  readonly access?: string;
  /** Seconds by which its clock is wrong; `writeRaw("clock", …)` sets it. */
  readonly clock?: number;
  readonly state?: string;
  /** Files and connections that it may have open at once. */
  readonly descriptors?: number;
}

/** Starts a forwarder and waits until it is ready. */
export async function forwarder(options: ForwarderOptions): Promise<Forwarder> {
  const folder = temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  const admin = await freePort();
  const write = (name: string, text: string, mode = 0o600): void => {
    fs.writeFileSync(file(`${name}.aside`), text, { mode });
    fs.renameSync(file(`${name}.aside`), file(name));
  };
  let own: Record<string, unknown> = {
    node: options.name,
    daemonPort: options.daemonPort,
    inboundHost: "127.0.0.1",
    inboundPort: options.inbound,
    adminPort: admin,
    secretFile: file("secret"),
    ...FAST,
    ...(options.access === undefined ? {} : { accessFile: file("access") }),
    ...options.own,
  };
  let fleet: unknown = {
    methods: options.methods ?? ["tailscale", "cloudflare", "direct"],
    nodes: options.nodes,
    ...(options.entry === undefined ? {} : { entry: options.entry }),
    ...(options.learn === undefined ? {} : { learn: options.learn }),
  };
  write("own", JSON.stringify(own));
  write("nodes", JSON.stringify(fleet));
  write("secret", `${options.secret ?? SECRET}\n`);
  if (options.access !== undefined) write("access", options.access);
  if (options.clock !== undefined) write("clock", `${options.clock}`);

  let child: ChildProcess | undefined;
  let output = "";
  const get = async (page: string): Promise<Record<string, unknown>> => {
    const answer = await fetch(`http://127.0.0.1:${admin}${page}`, {
      signal: AbortSignal.timeout(60_000),
    });
    return (await answer.json()) as Record<string, unknown>;
  };
  const launch = (): void => {
    const arguments_ = ["--settings", file("own"), "--nodes", file("nodes")];
    arguments_.push("--state", options.state ?? file("state"));
    const program =
      options.clock === undefined
        ? ["-IB", FORWARDER]
        : [
            "-IBc",
            `import sys, time; real = time.time; ` +
              `time.time = lambda: real() + float(open(${JSON.stringify(file("clock"))}).read()); ` +
              `sys.path.insert(0, ${JSON.stringify(FORWARDER)}); import main; main.main(sys.argv[1:])`,
          ];
    const limit = options.descriptors === undefined ? "" : `ulimit -n ${options.descriptors}; `;
    const shell = ["-c", `${limit}exec python3 "$@"`, "sh", ...program, ...arguments_];
    child = spawn("sh", shell, { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr?.on("data", (data: Buffer) => (output += data.toString()));
  };
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      running.once("exit", () => resolve());
      running.kill(signal);
    });
  };
  closers.push(() => kill("SIGKILL"));
  const ready = (): Promise<void> =>
    eventually(async () => {
      if (typeof child?.exitCode === "number") throw new Error(`it ended: ${output}`);
      const { waiting, notListening } = (await get("/ready")) as unknown as {
        waiting: string[];
        notListening: Record<string, string>;
      };
      // What a newcomer learns in its first moment are addresses that others listen on already, on this machine.
      const unheard = options.learn ? [] : Object.keys(notListening);
      const missing = [...waiting, ...unheard];
      if (missing.length > 0) throw new Error(`${missing.join("; ")}\n${output}`);
      return true;
    }).then(() => undefined);
  launch();
  await ready();
  return {
    name: options.name,
    folder,
    inbound: options.inbound,
    admin,
    pid: () => child?.pid ?? 0,
    status: async () => (await get("/status")) as unknown as Admin,
    events: async () => (await get("/events"))["events"] as Event[],
    configure: (changed, nodes) => {
      own = { ...own, ...changed };
      if (nodes !== undefined) fleet = nodes;
      write("own", JSON.stringify(own));
      write("nodes", JSON.stringify(fleet));
    },
    writeRaw: (name, text) => write(name, text),
    kill,
    start: async () => {
      launch();
      await ready();
    },
    memory: (which = "VmRSS") => {
      const text = fs.readFileSync(`/proc/${child?.pid ?? 0}/status`, "utf8");
      return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer | NodeJS.ReadableStream;
  readonly agent?: http.Agent;
}

/** One request to an address; fails when the connection breaks. */
export function ask(host: string, port: number, options: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers = {}, body } = options;
    const request = http.request(
      { host, port, method, headers, path: options.path ?? "/", agent: options.agent ?? false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const { statusCode: status = 0, headers: found } = response;
          resolve({ status, headers: found, body: Buffer.concat(parts).toString("latin1") });
        });
      },
    );
    request.on("error", reject);
    if (body !== undefined && typeof body !== "string" && !Buffer.isBuffer(body))
      body.pipe(request);
    else request.end(body);
  });
}

/** Sends bytes as they are and gives back everything until the end (or until `enough`). */
export function raw(
  host: string,
  port: number,
  bytes: string | Buffer,
  enough?: RegExp,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host, () => socket.write(bytes));
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (enough?.test(text)) socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" ? resolve(text) : reject(error),
    );
    socket.on("close", () => resolve(text));
  });
}

export interface Pair {
  readonly a: Forwarder;
  readonly b: Forwarder;
  readonly daemonA: Daemon;
  readonly daemonB: Daemon;
  /** Where a's daemon finds b, and the address that b's daemon sees a come from. */
  readonly toB: { readonly host: string; readonly port: number };
  readonly fromA: string;
  readonly nodes: Record<string, NodeEntry>;
}

export interface PairOptions {
  /** What leads to b, given its inbound port. */
  readonly waysToB?: (inbound: number) => Partial<NodeEntry> | Promise<Partial<NodeEntry>>;
  readonly own?: Record<string, unknown>;
  readonly ownB?: Record<string, unknown>;
  readonly optionsA?: Partial<ForwarderOptions>;
  readonly optionsB?: Partial<ForwarderOptions>;
  readonly handle?: Parameters<typeof daemon>[0];
}

/** Two nodes that reach each other directly, unless the options say otherwise. */
export async function pair(options: PairOptions = {}): Promise<Pair> {
  const [daemonA, daemonB] = [await daemon(), await daemon(options.handle)];
  const [inboundA, inboundB, port] = [await freePort(), await freePort(), await freePort()];
  const nodes: Record<string, NodeEntry> = {
    a: { number: freeNumber(), port, watch: true, direct: `127.0.0.1:${inboundA}` },
    b: {
      ...{ number: freeNumber(), port, watch: true },
      ...((await options.waysToB?.(inboundB)) ?? { direct: `127.0.0.1:${inboundB}` }),
    },
  };
  const start = (name: "a" | "b", own: Daemon, inbound: number, more: Partial<ForwarderOptions>) =>
    forwarder({ name, daemonPort: own.port, inbound, nodes, ...more });
  const b = await start("b", daemonB, inboundB, { own: options.ownB ?? {}, ...options.optionsB });
  const a = await start("a", daemonA, inboundA, { own: options.own ?? {}, ...options.optionsA });
  const address = (name: string): string => loopbackAddress(nodes[name]?.number ?? 0);
  return { a, b, daemonA, daemonB, toB: { host: address("b"), port }, fromA: address("a"), nodes };
}
