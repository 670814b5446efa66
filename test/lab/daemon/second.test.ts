import * as fs from "node:fs";
import * as path from "node:path";

import {
  checkout,
  cleanUp,
  freePort,
  healthy,
  nodeFlags,
  type StandIn,
  start,
  prepareStandIns,
} from "./standIn";

prepareStandIns();

describe("a second copy", () => {
  let port: number;
  let first: StandIn;

  beforeAll(async () => {
    port = await freePort();
    const env = { RINGRIFT_P2P_PORT: String(port) };
    first = start({ args: nodeFlags("a", "127.0.0.1", port), env });
    await healthy("127.0.0.1", port);
  });
  afterAll(cleanUp);

  const busyLine = (): string => `Exiting: healthy_p2p_running (port ${port})\n`;

  it("exits 0 where a healthy daemon has the port", async () => {
    const env = { RINGRIFT_P2P_PORT: String(port) };
    const second = start({ args: nodeFlags("b", "127.0.0.1", port), env });
    expect(await second.ended).toEqual({ code: 0, signal: null });
    expect(second.stdout()).toBe(busyLine());
  });

  it("exits 0 as well with another --port, for RINGRIFT_P2P_PORT is what is checked", async () => {
    const env = { RINGRIFT_P2P_PORT: String(port) };
    const second = start({ args: nodeFlags("b", "127.0.0.1", await freePort()), env });
    expect(await second.ended).toEqual({ code: 0, signal: null });
    expect(second.stdout()).toBe(busyLine());
  });

  it("prints that line for --help and for a bad flag, too", async () => {
    for (const flag of ["--help", "--nonsense"]) {
      const second = start({ args: [flag], env: { RINGRIFT_P2P_PORT: String(port) } });
      expect(await second.ended).toEqual({ code: 0, signal: null });
      expect(second.stdout()).toBe(busyLine());
    }
  });

  it("exits 0 in the same tree with both ports changed: the supervisor file answers", async () => {
    const other = await freePort();
    const second = start({
      dir: first.dir,
      args: nodeFlags("b", "127.0.0.1", other),
      env: { RINGRIFT_P2P_PORT: String(other) },
    });
    expect(await second.ended).toEqual({ code: 0, signal: null });
    expect(second.stdout()).toBe("Another manager is active (other_manager)\n");
  });

  it("exits 1 at the lock where the supervisor file is ignored", async () => {
    const other = await freePort();
    const second = start({
      dir: first.dir,
      args: [...nodeFlags("b", "127.0.0.1", other), "--ignore-supervisor"],
      env: { RINGRIFT_P2P_PORT: String(other) },
    });
    expect(await second.ended).toEqual({ code: 1, signal: null });
    expect(second.stderr()).toBe("Another copy holds the lock\n");
  });

  it("runs beside the first from a second checkout", async () => {
    const other = await freePort();
    const env = { RINGRIFT_P2P_PORT: String(other) };
    start({ args: nodeFlags("b", "127.0.0.1", other), env });
    expect((await healthy("127.0.0.1", other)).node_id).toBe("b");
    expect((await healthy("127.0.0.1", port)).node_id).toBe("a");
  });
});

describe("the supervisor file", () => {
  afterEach(cleanUp);

  const startOver = async (entry: Record<string, unknown>): Promise<[StandIn, number]> => {
    const port = await freePort();
    const dir = checkout();
    fs.mkdirSync(path.join(dir, "data", "coordination"), { recursive: true });
    const file = path.join(dir, "data", "coordination", "p2p_supervisor.json");
    fs.writeFileSync(file, JSON.stringify(entry));
    const env = { RINGRIFT_P2P_PORT: String(port) };
    return [start({ dir, args: nodeFlags("a", "127.0.0.1", port), env }), port];
  };

  it("of a live process younger than ten minutes stops a start, though its pid is recycled", async () => {
    const now = Date.now() / 1000;
    const [node] = await startOver({ pid: process.pid, last_health_check: now - 500 });
    expect(await node.ended).toEqual({ code: 0, signal: null });
  });

  it("older than ten minutes is stale", async () => {
    const now = Date.now() / 1000;
    const [, port] = await startOver({ pid: process.pid, last_health_check: now - 700 });
    expect((await healthy("127.0.0.1", port)).node_id).toBe("a");
  });
});

it("comes back at once after kill -9, in the same tree", async () => {
  const port = await freePort();
  const env = { RINGRIFT_P2P_PORT: String(port) };
  const args = nodeFlags("a", "127.0.0.1", port);
  const first = start({ args, env });
  await healthy("127.0.0.1", port);
  first.signal("SIGKILL");
  expect(await first.ended).toEqual({ code: null, signal: "SIGKILL" });
  const second = start({ dir: first.dir, args, env });
  expect((await healthy("127.0.0.1", port)).node_id).toBe("a");
  expect(second.stderr()).toBe("");
  await cleanUp();
});
