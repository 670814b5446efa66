import { spawn } from "node:child_process";
import * as path from "node:path";

import { eventually } from "../../eventually";
import {
  cleanUp,
  freePort,
  getJson,
  healthy,
  nodeFlags,
  type StandIn,
  start,
  temporaryFolder,
  prepareStandIns,
} from "./standIn";
import { ensurePython, pythonWithout } from "./venv";

prepareStandIns();
afterEach(cleanUp);

const HOST = "127.22.0.1";

async function startNode(
  knobs: Record<string, string>,
  env: Record<string, string> = {},
): Promise<[StandIn, number]> {
  const port = await freePort();
  const prefixed = Object.entries(knobs).map(([name, value]) => [
    `RINGRIFT_STANDIN_${name}`,
    value,
  ]);
  const all = { ...env, ...(Object.fromEntries(prefixed) as Record<string, string>) };
  const node = start({ args: nodeFlags("a", HOST, port), env: all });
  return [node, port];
}

/** Resolves once the node has logged the signal. */
const noticed = (node: StandIn): Promise<true> =>
  eventually(async () => (node.stdout().includes("stop requested") ? true : undefined));

describe("SIGTERM", () => {
  it("is followed by a slow stop, in which the node serves on, and exit 0", async () => {
    const [node, port] = await startNode({ STOP_SECONDS: "10" });
    await healthy(HOST, port);
    node.signal("SIGTERM");
    await noticed(node);
    expect((await getJson(`http://${HOST}:${port}/health`)).healthy).toBe(true);
    expect(await node.ended).toEqual({ code: 0, signal: null });
    expect(node.stderr()).toBe("");
  });

  it("given twice ends the node at once with exit 1", async () => {
    const [node, port] = await startNode({ STOP_SECONDS: "3600" });
    await healthy(HOST, port);
    node.signal("SIGTERM");
    await noticed(node);
    node.signal("SIGTERM");
    expect(await node.ended).toEqual({ code: 1, signal: null });
  });

  it("is ignored when told so", async () => {
    const [node, port] = await startNode({ IGNORE_SIGTERM: "1", STOP_SECONDS: "0" });
    await healthy(HOST, port);
    node.signal("SIGTERM");
    node.signal("SIGTERM");
    expect((await healthy(HOST, port)).node_id).toBe("a");
    node.signal("SIGKILL");
    expect(await node.ended).toEqual({ code: null, signal: "SIGKILL" });
  });
});

describe("faults", () => {
  it("hang: port+2 answers, the main port does not, and SIGTERM does nothing", async () => {
    const [node, port] = await startNode({ HANG_AFTER_SECONDS: "0.5", STOP_SECONDS: "0" });
    await eventually(async () => (node.stdout().includes("HANG_AFTER") ? true : undefined));
    const request = fetch(`http://${HOST}:${port}/health`, { signal: AbortSignal.timeout(1500) });
    await expect(request).rejects.toThrow("timeout");
    node.signal("SIGTERM");
    expect((await getJson(`http://${HOST}:${port + 2}/health`)).alive).toBe(true);
  });

  it("hang: the daemon's own watchdog ends it with exit 1", async () => {
    const [node] = await startNode({
      HANG_AFTER_SECONDS: "0.5",
      WATCHDOG_GRACE_SECONDS: "0",
      WATCHDOG_INTERVAL_SECONDS: "0.2",
      WATCHDOG_TIMEOUT_SECONDS: "0.5",
    });
    expect(await node.ended).toEqual({ code: 1, signal: null });
    expect(node.stdout()).toContain("watchdog: /health gone 5 times");
  });

  it("crash: a traceback and exit 1", async () => {
    const [node] = await startNode({ CRASH_AFTER_SECONDS: "0" });
    expect(await node.ended).toEqual({ code: 1, signal: null });
    expect(node.stderr().trim().split("\n").at(-1)).toBe(
      "RuntimeError: asked for by RINGRIFT_STANDIN_CRASH_AFTER_SECONDS",
    );
  });

  it("exit 137, as after the kernel's out-of-memory kill in a container", async () => {
    const [node] = await startNode({ EXIT_137_AFTER_SECONDS: "0" });
    expect(await node.ended).toEqual({ code: 137, signal: null });
  });

  it("slow start: it binds only after the wait, and its uptime starts there", async () => {
    const before = Date.now();
    const [, port] = await startNode({ START_SECONDS: "3" });
    const health = await healthy(HOST, port);
    expect(Date.now() - before).toBeGreaterThanOrEqual(3000);
    const status = await getJson(`http://${HOST}:${port}/status`);
    const { started_at } = status.stand_in_details as { started_at: number };
    expect(started_at * 1000).toBeGreaterThanOrEqual(before + 3000);
    expect(health.node_id).toBe("a");
  });

  it("a port taken by somebody else: five attempts, then OSError and exit 1", async () => {
    const [, port] = await startNode({});
    await healthy(HOST, port);
    const second = start({
      args: nodeFlags("b", HOST, port),
      env: { RINGRIFT_STANDIN_BIND_BACKOFF_SECONDS: "0.05" },
    });
    expect(await second.ended).toEqual({ code: 1, signal: null });
    expect(second.stdout().match(/attempt \d to bind/g)).toHaveLength(5);
    expect(second.stderr().trim().split("\n").at(-1)).toMatch(/^OSError: \[Errno 98\]/);
  });
});

describe("sd_notify", () => {
  /** Node has no datagram sockets of this kind, so Python listens and prints what arrives. */
  const LISTENER = [
    "import socket, sys",
    "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "s.bind(sys.argv[1])",
    "print('bound', flush=True)",
    "while True: print(s.recv(100).decode(), flush=True)",
  ].join("\n");

  const messages = async (python?: string): Promise<string[]> => {
    const socket = path.join(temporaryFolder(), "notify");
    const listener = spawn(ensurePython(), ["-c", LISTENER, socket]);
    let heard = "";
    listener.stdout.on("data", (data: Buffer) => (heard += data.toString()));
    try {
      await eventually(async () => (heard.startsWith("bound") ? true : undefined));
      const port = await freePort();
      const env = { NOTIFY_SOCKET: socket, RINGRIFT_P2P_HEARTBEAT_INTERVAL: "0.1" };
      const node = start({ python, args: nodeFlags("a", HOST, port), env });
      await healthy(HOST, port);
      await eventually(async () => (heard.includes("WATCHDOG=1\nW") || python ? true : undefined));
      node.signal("SIGKILL");
      await node.ended;
    } finally {
      listener.kill("SIGKILL");
    }
    return heard.trim().split("\n").slice(1, 4);
  };

  it("tells READY once and WATCHDOG at every heartbeat cycle", async () => {
    expect(await messages()).toEqual(["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
  });

  it("tells nothing without the sdnotify module", async () => {
    expect(await messages(pythonWithout("sdnotify", temporaryFolder()))).toEqual([]);
  });
});
