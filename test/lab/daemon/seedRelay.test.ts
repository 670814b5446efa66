import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

import { recordHttp } from "./fakeServers";
import { eventually } from "../../eventually";
import { accepts, cleanUp, freePort, temporaryFolder } from "./standIn";
import { ensurePython } from "./venv";

jest.setTimeout(300_000);

const RELAY = path.join(__dirname, "..", "..", "..", "lab", "daemon", "seed_relay.py");
const HOST = "127.24.0.1";
let relay: ChildProcess;
let url: string;

beforeAll(async () => {
  const port = await freePort();
  const tokenFile = path.join(temporaryFolder(), "token");
  fs.writeFileSync(tokenFile, "t0ken\n");
  const args = [RELAY, "--host", HOST, "--port", String(port), "--token-file", tokenFile];
  relay = spawn(ensurePython(), args, { stdio: "ignore" });
  url = `http://${HOST}:${port}`;
  await eventually(async () => (await accepts(HOST, port)) || undefined);
});

afterAll(async () => {
  relay.kill("SIGKILL");
  await cleanUp();
});

async function post(route: string, body: unknown, token = "t0ken"): Promise<[number, unknown]> {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}${route}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return [answer.status, await answer.json()];
}

it("refuses a wrong token", async () => {
  expect(await post("/register", { node_id: "a", endpoint: "http://x" }, "no")).toEqual([
    401,
    { error: "unauthorized" },
  ]);
});

it("answers 404 for an unknown peer", async () => {
  expect(await post("/forward/nobody", {})).toEqual([404, { error: "unknown peer" }]);
});

it.each([{}, [], { node_id: "a" }, { node_id: "a", endpoint: "file:///etc/passwd" }])(
  "refuses to register %j",
  async (body) => {
    expect((await post("/register", body))[0]).toBe(400);
  },
);

it("registers peers, tells them of the others, and forwards", async () => {
  const peer = await recordHttp("b", "127.24.0.2");
  const endpoint = `http://127.24.0.2:${peer.port}/heartbeat`;
  expect(await post("/register", { node_id: "b", endpoint })).toEqual([200, { peers: {} }]);
  const self = { node_id: "a", endpoint: "http://127.24.0.3:1/" };
  expect(await post("/register", self)).toEqual([200, { peers: { b: endpoint } }]);
  const [code, body] = await post("/forward/b", { hello: 1 });
  expect([code, body]).toEqual([200, { node_id: "b", host: "192.0.2.9", port: 8770 }]);
  expect(peer.requests).toEqual(["POST /heartbeat"]);
  await peer.close();
  expect(await post("/forward/b", {})).toEqual([502, { error: "peer unreachable" }]);
});
