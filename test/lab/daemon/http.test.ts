import * as net from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";

import { eventually } from "../../eventually";
import {
  accepts,
  checkout,
  cleanUp,
  freePort,
  getJson,
  healthy,
  nodeFlags,
  start,
  prepareStandIns,
} from "./standIn";

prepareStandIns();
afterAll(cleanUp);

const HOST = "127.21.0.1";

/** Starts one node and returns its URL. */
async function startNode(
  env: Record<string, string> = {},
  args: string[] = [],
  hostsYaml?: string,
): Promise<string> {
  const port = await freePort();
  const dir = checkout(hostsYaml);
  const flags = [...nodeFlags("a", HOST, port), "--ringrift-path", dir, ...args];
  start({ dir, args: flags, env: { RINGRIFT_P2P_HEARTBEAT_INTERVAL: "60", ...env } });
  await healthy(HOST, port);
  return `http://${HOST}:${port}`;
}

async function post(
  url: string,
  body: string | Buffer | object,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  const isRaw = typeof body === "string" || Buffer.isBuffer(body);
  const text = isRaw
    ? typeof body === "string"
      ? body
      : new Uint8Array(body)
    : JSON.stringify(body);
  const answer = await fetch(url, { method: "POST", body: text, headers });
  return { status: answer.status, body: await answer.json().catch(() => undefined) };
}

const status = (url: string): Promise<Record<string, unknown>> =>
  getJson(`${url}/status?no_cache=true`);

const peerAddress = async (url: string, id: string): Promise<unknown> => {
  const peers = (await status(url)).peers as Record<string, Record<string, unknown>>;
  const peer = peers[id];
  return peer && [peer.host, peer.port, peer.reported_host, peer.reported_port];
};

const info = (id: string, host = "192.0.2.5", port = 8770): object => ({ node_id: id, host, port });

describe("ports", () => {
  afterAll(cleanUp);

  it("binds only the given host, but port+2 on every address", async () => {
    const url = new URL(await startNode());
    const port = Number(url.port);
    expect(await accepts(HOST, port)).toBe(true);
    expect(await accepts("127.21.0.2", port)).toBe(false);
    expect(await accepts("127.21.0.2", port + 2)).toBe(true);
  });

  it("binds [::] as well where the host is 0.0.0.0, and only there", async () => {
    const hasIpv6 = await new Promise<boolean>((resolve) => {
      const server = net.createServer().once("error", () => resolve(false));
      server.listen(0, "::1", () => server.close(() => resolve(true)));
    });
    const port = await freePort();
    start({ args: nodeFlags("b", "0.0.0.0", port) });
    await healthy("127.0.0.1", port);
    expect(await accepts("127.21.0.3", port)).toBe(true);
    expect(await accepts("::1", port)).toBe(hasIpv6);
    expect(await accepts("::1", port + 2)).toBe(false);
    const other = new URL(await startNode());
    expect(await accepts("::1", Number(other.port))).toBe(false);
  });
});

describe("a lone node", () => {
  afterAll(cleanUp);

  let url: string;
  let side: string;
  beforeAll(async () => {
    url = await startNode({ RINGRIFT_BUILD_VERSION: "main@abc1234" });
    side = `http://127.0.0.1:${Number(new URL(url).port) + 2}`;
  });

  it("answers /health with the documented fields", async () => {
    const health = await getJson(`${url}/health`);
    expect(Object.keys(health).sort()).toEqual([
      "active_peers",
      "cluster_utilization",
      "cpu_percent",
      "disk_percent",
      "gpu_memory_percent",
      "gpu_percent",
      "healthy",
      "leader_id",
      "leader_last_seen_seconds",
      "memory_percent",
      "node_id",
      "role",
      "selfplay_jobs",
      "timestamp",
      "total_peers",
      "training_jobs",
      "uptime_seconds",
    ]);
    expect(health).toMatchObject({
      healthy: true,
      node_id: "a",
      role: "follower",
      leader_id: null,
      leader_last_seen_seconds: null,
      active_peers: 0,
      total_peers: 0,
      selfplay_jobs: 0,
      training_jobs: 0,
    });
  });

  it("answers /status with the documented fields, and says that it is a stand-in", async () => {
    const answer = await status(url);
    expect(Object.keys(answer).sort()).toEqual([
      "alive_peers",
      "all_peers",
      "effective_leader_id",
      "is_leader",
      "leader_id",
      "network",
      "node_id",
      "peers",
      "role",
      "self",
      "stand_in",
      "stand_in_details",
      "voter_config_hash",
      "voter_config_source",
      "voter_config_version",
      "voter_node_ids",
      "voter_quorum_ok",
      "voter_quorum_size",
      "voters_alive",
    ]);
    expect(answer.stand_in).toBe(true);
    expect((answer.self as { version: string }).version).toBe("main@abc1234");
  });

  it("answers on port+2, where /ready is 503 at first", async () => {
    const health = await getJson(`${side}/health`);
    expect(health).toEqual({
      alive: true,
      node_id: "a",
      role: "follower",
      uptime_seconds: health.uptime_seconds,
      main_port: Number(new URL(url).port),
    });
    expect((await fetch(`${side}/nothing`)).status).toBe(404);
  });

  it("knows no /relay/forward, /relay/register or /ready on the main port", async () => {
    expect((await post(`${url}/relay/forward`, {})).status).toBe(404);
    expect((await post(`${url}/relay/register`, {})).status).toBe(404);
    expect((await fetch(`${url}/ready`)).status).toBe(404);
  });

  it("answers 400 to bad JSON and 500 to a heartbeat without a port", async () => {
    expect(await post(`${url}/heartbeat`, "{")).toEqual({
      status: 400,
      body: { error: "invalid_json" },
    });
    expect(await post(`${url}/heartbeat`, { node_id: "x", host: "h" })).toEqual({
      status: 500,
      body: { error: "internal_error" },
    });
    expect((await status(url)).all_peers).toEqual({});
  });

  it("caches /status for a while", async () => {
    const before = await getJson(`${url}/status`);
    await post(`${url}/heartbeat`, info("cached"));
    expect((await status(url)).alive_peers).toBe(1);
    expect(before.alive_peers).toBe(0);
  });
});

it("turns /ready 200 once the uptime is reached", async () => {
  const url = new URL(await startNode({ RINGRIFT_STANDIN_READY_SECONDS: "3" }));
  const ready = `http://127.0.0.1:${Number(url.port) + 2}/ready`;
  const codes: number[] = [];
  await eventually(async () => {
    codes.push((await fetch(ready)).status);
    return codes.at(-1) === 200 ? true : undefined;
  });
  expect(new Set(codes.slice(0, -1))).toEqual(new Set([503].slice(0, codes.length - 1)));
});

it("says healthy:false with HTTP 200 when told to", async () => {
  const url = await startNode({ RINGRIFT_STANDIN_HEALTHY: "false" });
  const answer = await fetch(`${url}/health`);
  expect([answer.status, ((await answer.json()) as { healthy: boolean }).healthy]).toEqual([
    200,
    false,
  ]);
});

describe("peers are recorded by where they come from", () => {
  afterAll(cleanUp);

  let url: string;
  beforeAll(async () => {
    url = await startNode({ RINGRIFT_P2P_VOTERS: "a,b" });
  });

  it("under 127.0.0.1, which is the receiver itself, for one that arrives over loopback", async () => {
    const answer = await post(`${url}/heartbeat`, { ...info("b", "100.64.0.9"), unknown_key: 1 });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      node_id: "a",
      voter_node_ids: ["a", "b"],
      voter_quorum_size: 2,
      voter_config_source: "env",
    });
    expect(await peerAddress(url, "b")).toEqual(["127.0.0.1", 8770, "100.64.0.9", 8770]);
  });

  it("under the local address that a forwarder connects from", async () => {
    const body = JSON.stringify(info("c", "100.64.0.9"));
    const { hostname, port } = new URL(url);
    await new Promise<void>((resolve) => {
      const socket = net.connect({
        host: hostname,
        port: Number(port),
        localAddress: "127.64.3.2",
      });
      socket.once("data", () => resolve(void socket.destroy()));
      socket.write(
        `POST /heartbeat HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    expect(await peerAddress(url, "c")).toEqual(["127.64.3.2", 8770, "100.64.0.9", 8770]);
  });

  it.each([
    ["X-Forwarded-For", "203.0.113.4, 198.51.100.1"],
    ["X-Real-IP", "203.0.113.4"],
    ["CF-Connecting-IP", "203.0.113.4"],
  ])("under the address in %s", async (header, value) => {
    await post(`${url}/heartbeat`, info(header), { [header]: value });
    expect(await peerAddress(url, header)).toEqual(["203.0.113.4", 8770, "192.0.2.5", 8770]);
  });
});

describe("gossip", () => {
  afterAll(cleanUp);

  /** A leader of this moment: an older one's word lapses. */
  const text = () =>
    JSON.stringify({
      sender: "g",
      sender_state: { node_id: "g", timestamp: Date.now() / 1000, version: 1, role: "leader" },
      known_states: {},
    });

  it.each([
    ["gzipped", () => gzipSync(text()), { "Content-Encoding": "gzip" }],
    ["raw, but labelled gzip", () => Buffer.from(text()), { "Content-Encoding": "gzip" }],
    ["raw", () => Buffer.from(text()), {}],
  ])("is accepted %s, answered gzipped, and tells the leader", async (_name, encode, headers) => {
    const url = new URL(await startNode());
    const data = encode();
    const raw = await new Promise<{ head: string; body: Buffer }>((resolve) => {
      const socket = net.connect(Number(url.port), url.hostname);
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.on("close", () => {
        const all = Buffer.concat(chunks);
        const end = all.indexOf("\r\n\r\n");
        resolve({ head: all.subarray(0, end).toString(), body: all.subarray(end + 4) });
      });
      const extra = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(
        `POST /gossip HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${extra.join("")}` +
          `Content-Length: ${data.length}\r\n\r\n`,
      );
      socket.write(data);
    });
    expect(raw.head).toMatch(/^HTTP\/1.1 200 OK/);
    expect(raw.head).toMatch(/^content-encoding: gzip$/im);
    const reply = JSON.parse(gunzipSync(raw.body).toString()) as Record<string, unknown>;
    expect(Object.keys(reply)).toEqual(["sender_state", "known_states", "peer_manifests"]);
    expect((await status(url.origin)).leader_id).toBe("g");
  });
});

describe("a cluster token", () => {
  afterAll(cleanUp);

  let url: string;
  beforeAll(async () => {
    url = await startNode({ RINGRIFT_CLUSTER_AUTH_TOKEN: "t0ken" }, ["--require-auth"]);
  });

  it.each([
    ["no token", {}, 401],
    ["a wrong one", { Authorization: "Bearer nope" }, 401],
    ["a bearer token", { Authorization: "Bearer t0ken" }, 200],
    ["the daemon's own header", { "X-RingRift-Auth": "t0ken" }, 200],
  ])("with %s, a POST and a /relay read are answered accordingly", async (_name, headers, code) => {
    const answer = await post(`${url}/heartbeat`, info("b"), headers);
    expect(answer.status).toBe(code);
    if (code === 401) expect(answer.body).toEqual({ error: "unauthorized" });
    for (const route of ["/relay/peers", "/relay/status", "/relay/health"]) {
      expect((await fetch(`${url}${route}`, { headers })).status).toBe(code);
    }
  });

  it("leaves other reads open, even one that changes state", async () => {
    const headers = { Authorization: "Bearer t0ken" };
    await post(`${url}/relay/heartbeat`, info("nat"), headers);
    expect((await fetch(`${url}/status`)).status).toBe(200);
    const cleared = await getJson(`${url}/admin/clear_nat_blocked`);
    expect(cleared).toEqual({ success: true, cleared: ["nat"] });
  });
});

describe("the relay", () => {
  afterAll(cleanUp);

  let url: string;
  beforeAll(async () => {
    url = await startNode();
  });

  it("marks its caller as behind NAT and lists it", async () => {
    const { status: code, body } = await post(`${url}/relay/heartbeat`, info("nat"));
    expect(code).toBe(200);
    expect(Object.keys(body as object).sort()).toEqual([
      "commands",
      "direct_peers",
      "effective_leader_id",
      "last_known_leader_id",
      "leader_id",
      "nat_blocked_peers",
      "peers",
      "relay_node",
      "self",
      "success",
      "total_peers",
      "voter_config_hash",
      "voter_config_source",
      "voter_config_version",
      "voter_node_ids",
      "voter_quorum_ok",
      "voter_quorum_size",
      "voters_alive",
    ]);
    const peers = (await getJson(`${url}/relay/peers`)).peers as Record<string, unknown>;
    expect(peers.nat).toMatchObject({ nat_blocked: true, relay_via: "a", is_alive: true });
  });

  it("sends a command again until it is acknowledged, also one for a node unknown before", async () => {
    const queued = await post(`${url}/relay/enqueue`, {
      target_node_id: "later",
      type: "ping",
      payload: { n: 1 },
    });
    const { id } = queued.body as { id: string };
    expect(queued).toEqual({ status: 200, body: { success: true, id } });
    const ask = async (extra: object): Promise<string[]> => {
      const answer = await post(`${url}/relay/heartbeat`, { ...info("later"), ...extra });
      return (answer.body as { commands: { id: string }[] }).commands.map((c) => c.id);
    };
    expect(await ask({})).toEqual([id]);
    expect(await ask({})).toEqual([id]);
    expect((await getJson(`${url}/relay/status`)).pending).toEqual({
      later: [{ id, type: "ping", age_seconds: 0 }],
    });
    expect(await ask({ relay_ack: [id], relay_results: [{ id, ok: true }] })).toEqual([]);
    expect(await getJson(`${url}/relay/status`)).toEqual({
      success: true,
      pending: {},
      results: { later: [{ id, ok: true }] },
    });
  });

  it("refuses missing fields with 400 and a fifth pending job with 429", async () => {
    expect((await post(`${url}/relay/enqueue`, { type: "ping" })).status).toBe(400);
    const job = { target_node_id: "busy", type: "start_job", payload: {} };
    const codes: number[] = [];
    for (let n = 0; n < 5; n += 1) codes.push((await post(`${url}/relay/enqueue`, job)).status);
    expect(codes).toEqual([200, 200, 200, 200, 429]);
    expect(await post(`${url}/relay/enqueue`, job)).toEqual({
      status: 429,
      body: { error: "queue_full" },
    });
    const other = { ...job, type: "ping" };
    expect((await post(`${url}/relay/enqueue`, other)).status).toBe(200);
  });

  it("drops a command after its time", async () => {
    const short = await startNode({ RINGRIFT_STANDIN_RELAY_TTL_SECONDS: "0" });
    await post(`${short}/relay/enqueue`, { target_node_id: "x", type: "ping" });
    const answer = await post(`${short}/relay/heartbeat`, info("x"));
    expect((answer.body as { commands: unknown[] }).commands).toEqual([]);
  });
});

describe("voters", () => {
  afterAll(cleanUp);

  const hosts = [
    "p2p_voters: [c, a, b, a, gone, off]",
    "hosts:",
    "  a: {status: ready}",
    "  b: {status: retired}",
    "  c: {status: ready}",
    "  off: {status: offline}",
  ].join("\n");
  const quorumOf = async (env: Record<string, string>, yaml?: string): Promise<unknown> => {
    const answer = await status(await startNode(env, [], yaml));
    return [
      answer.voter_node_ids,
      answer.voter_config_source,
      answer.voters_alive,
      answer.voter_quorum_size,
      answer.voter_quorum_ok,
    ];
  };

  it("are none without file and variable", async () => {
    expect(await quorumOf({})).toEqual([[], "none", 0, 0, true]);
  });

  it("come from the file, sorted, once each, without offline ones", async () => {
    expect(await quorumOf({}, hosts)).toEqual([["a", "b", "c", "gone"], "config", 1, 2, true]);
  });

  it("come from the variable first, where unknown names stay", async () => {
    const env = { RINGRIFT_P2P_VOTERS: "z,a,,z" };
    expect(await quorumOf(env, hosts)).toEqual([["a", "z"], "env", 1, 2, true]);
  });

  it("reach quorum by the real formula even when none is alive", async () => {
    const env = { RINGRIFT_P2P_VOTERS: "v1,v2,v3,v4,v5" };
    expect(await quorumOf(env)).toEqual([["v1", "v2", "v3", "v4", "v5"], "env", 0, 2, true]);
  });

  it("need a true majority when the knob says so", async () => {
    const env = { RINGRIFT_P2P_VOTERS: "a,v2,v3", RINGRIFT_STANDIN_TRUE_QUORUM: "1" };
    expect(await quorumOf(env)).toEqual([["a", "v2", "v3"], "env", 1, 2, false]);
  });
});
