import * as fs from "node:fs";
import * as path from "node:path";

import {
  accepts,
  checkout,
  cleanUp,
  freePort,
  healthy,
  nodeFlags,
  start,
  temporaryFolder,
  prepareStandIns,
} from "./standIn";
import { ensureLsof, pythonWithout, REQUIRED } from "./venv";

prepareStandIns();
const hasLsof = ensureLsof();
afterEach(cleanUp);

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
const knobs = (text: string): string[] =>
  [...new Set(text.match(/RINGRIFT_STANDIN_[A-Z0-9_]+/g))].sort();

describe("imports", () => {
  it.each(REQUIRED)("dies with exit 1 where %s is missing, and binds nothing", async (module) => {
    const port = await freePort();
    const python = pythonWithout(module, temporaryFolder());
    const node = start({ python, args: nodeFlags("a", "127.20.0.1", port) });
    expect(await node.ended).toEqual({ code: 1, signal: null });
    expect(lastLine(node.stderr())).toBe(`ModuleNotFoundError: No module named '${module}'`);
    expect(await accepts("127.20.0.1", port)).toBe(false);
    expect(fs.existsSync(path.join(node.dir, "data"))).toBe(false);
  });

  it("dies with exit 1 without PYTHONPATH", async () => {
    const node = start({ env: { PYTHONPATH: "" } });
    expect(await node.ended).toEqual({ code: 1, signal: null });
    expect(lastLine(node.stderr())).toBe("ModuleNotFoundError: No module named 'scripts'");
  });
});

describe("the lsof check", () => {
  it("dies of a traceback with exit 1 where lsof is missing", async () => {
    const node = start({ env: { PATH: temporaryFolder() } });
    expect(await node.ended).toEqual({ code: 1, signal: null });
    expect(lastLine(node.stderr())).toBe(
      "FileNotFoundError: [Errno 2] No such file or directory: 'lsof'",
    );
    expect(fs.existsSync(path.join(node.dir, "data"))).toBe(false);
  });

  it("is avoided by --no-zombie-check", async () => {
    const port = await freePort();
    const env = { PATH: temporaryFolder() };
    start({ args: nodeFlags("a", "127.20.0.1", port), env });
    expect((await healthy("127.20.0.1", port)).node_id).toBe("a");
  });

  const itWithLsof = hasLsof ? it : it.skip;
  itWithLsof("lets a node start where lsof is installed", async () => {
    const port = await freePort();
    const args = nodeFlags("a", "127.20.0.1", port).slice(1);
    start({ args, env: { RINGRIFT_P2P_PORT: String(port) } });
    expect((await healthy("127.20.0.1", port)).node_id).toBe("a");
  });
});

describe("flags", () => {
  it("refuses an unknown one with exit 2, after it has claimed the supervisor file and the lock", async () => {
    const node = start({ args: ["--no-zombie-check", "--nonsense"] });
    expect(await node.ended).toEqual({ code: 2, signal: null });
    expect(lastLine(node.stderr())).toBe(
      "p2p_orchestrator.py: error: unrecognized arguments: --nonsense",
    );
    const coordination = path.join(node.dir, "data", "coordination");
    const supervisor = JSON.parse(
      fs.readFileSync(path.join(coordination, "p2p_supervisor.json"), "utf8"),
    ) as Record<string, unknown>;
    expect(Object.keys(supervisor)).toEqual([
      "managed_by",
      "pid",
      "started_at",
      "last_health_check",
    ]);
    expect(supervisor.pid).toBe(node.pid);
    const lock = path.join(coordination, "ringrift_p2p_orchestrator.lock");
    expect(fs.readFileSync(lock, "utf8")).toBe(String(node.pid));
  });

  it("says in --help that it is a stand-in, and names the knobs that the README names", async () => {
    const node = start({ args: ["--no-zombie-check", "--help"] });
    expect(await node.ended).toEqual({ code: 0, signal: null });
    expect(node.stdout()).toContain("STAND-IN for the P2P orchestrator");
    const readme = fs.readFileSync(path.join(node.dir, "README.md"), "utf8");
    expect(knobs(readme)).toEqual(knobs(node.stdout()));
    expect(knobs(readme).length).toBe(17);
  });

  it("accepts every flag of the real daemon", async () => {
    const port = await freePort();
    const dir = checkout();
    const node = start({
      dir,
      args: [
        ...nodeFlags("a", "127.20.0.1", port),
        ...["--advertise-host", "192.0.2.7", "--advertise-port", "9999"],
        ...["--peers", "", "--relay-peers", "", "--ringrift-path", dir, "--auth-token", "t0ken"],
        ...["--require-auth", "--storage-type", "disk", "--sync-to-disk-interval", "60"],
        ...["--supervised", "--kill-duplicates", "--force-takeover", "--skip-port-check"],
        ...["--ignore-supervisor", "--force-supervisor", "--managed-by-master-loop"],
        "--training-only",
      ],
    });
    expect((await healthy("127.20.0.1", port)).node_id).toBe("a");
    expect(fs.existsSync(path.join(node.dir, "data/coordination/p2p_supervisor.json"))).toBe(false);
  });

  it("refuses --require-auth without a token with a ValueError and exit 1", async () => {
    const node = start({ args: ["--no-zombie-check", "--require-auth"] });
    expect(await node.ended).toEqual({ code: 1, signal: null });
    expect(lastLine(node.stderr())).toBe(
      "ValueError: --require-auth is set, and there is no cluster token",
    );
  });
});

describe("the node id", () => {
  const hosts = "hosts:\n  listed: {ssh_host: 192.0.2.1}\n";
  const idOf = async (files: Record<string, string>, env: Record<string, string> = {}) => {
    const port = await freePort();
    const etc = temporaryFolder();
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(etc, name)), { recursive: true });
      fs.writeFileSync(path.join(etc, name), text);
    }
    const args = ["--no-zombie-check", "--host", "127.20.0.2", "--port", String(port)];
    const dir = checkout(hosts);
    start({ dir, args, env: { RINGRIFT_STANDIN_ETC: etc, ...env } });
    return (await healthy("127.20.0.2", port)).node_id;
  };

  it("comes from /etc/ringrift/node-id where the hosts file lists it", async () => {
    const env = { RINGRIFT_NODE_ID: "other" };
    expect(await idOf({ "ringrift/node-id": "listed\n" }, env)).toBe("listed");
  });

  it("comes from RINGRIFT_NODE_ID where that file names a stranger", async () => {
    const env = { RINGRIFT_NODE_ID: "other" };
    expect(await idOf({ "ringrift/node-id": "stranger\n" }, env)).toBe("other");
  });

  it("comes from /etc/default/ringrift-p2p next", async () => {
    expect(await idOf({ "default/ringrift-p2p": 'A=1\nNODE_ID="third"\n' })).toBe("third");
  });
});

it("writes its log, state and coordination files under the working folder", async () => {
  const port = await freePort();
  const env = { RINGRIFT_P2P_HEARTBEAT_INTERVAL: "0.2" };
  const node = start({ args: nodeFlags("a", "127.20.0.1", port), env });
  await healthy("127.20.0.1", port);
  const state = path.join(node.dir, "p2p_state", "a_state.db");
  while (!fs.existsSync(state)) await new Promise((resolve) => setTimeout(resolve, 100));
  const written = (folder: string): string[] => fs.readdirSync(path.join(node.dir, folder)).sort();
  expect(written("logs")).toEqual(["p2p_orchestrator.log"]);
  expect(written("data/coordination")).toEqual([
    "p2p_supervisor.json",
    "ringrift_p2p_orchestrator.lock",
  ]);
  expect(node.stdout()).toContain(`stand-in for a listens on 127.20.0.1:${port}`);
});

it("reads .env.local under the environment, but never the coordinator flag from it", async () => {
  const port = await freePort();
  const dir = checkout();
  const lines = [
    "RINGRIFT_NODE_ID=file",
    "RINGRIFT_IS_COORDINATOR=true",
    "RINGRIFT_BUILD_VERSION=f",
  ];
  fs.writeFileSync(path.join(dir, ".env.local"), lines.join("\n"));
  const args = ["--no-zombie-check", "--host", "127.20.0.1", "--port", String(port)];
  start({ dir, args, env: { RINGRIFT_BUILD_VERSION: "v1" } });
  const health = await healthy("127.20.0.1", port);
  expect([health.node_id, health.leader_id]).toEqual(["file", null]);
  const status = await (await fetch(`http://127.20.0.1:${port}/status`)).json();
  expect((status as { self: { version: string } }).self.version).toBe("v1");
});
