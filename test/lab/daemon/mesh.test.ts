import { spawnSync } from "node:child_process";

import { type Recorder, recordEntry, recordHttp, recordHttps, recordSocks } from "./fakeServers";
import { eventually } from "../../eventually";
import {
  checkout,
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
import { pythonWithout } from "./venv";

prepareStandIns();

const FAST = { RINGRIFT_P2P_HEARTBEAT_INTERVAL: "0.3", RINGRIFT_P2P_GOSSIP_INTERVAL: "0.3" };
const recorders: Recorder[] = [];

afterEach(async () => {
  await cleanUp();
  await Promise.all(recorders.splice(0).map((recorder) => recorder.close()));
});

type Peer = Record<string, unknown>;
interface Status {
  leader_id: string | null;
  role: string;
  alive_peers: number;
  voters_alive: number;
  voter_quorum_ok: boolean;
  voter_node_ids: string[];
  voter_config_source: string;
  all_peers: Record<string, Peer>;
  stand_in_details: { is_relayed: boolean; is_proxied: boolean; known_peers: string[] };
}

interface Node extends StandIn {
  readonly host: string;
  readonly port: number;
  status(): Promise<Status>;
}

interface NodeOptions {
  readonly peers?: string;
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
  readonly dir?: string;
  readonly python?: string;
}

async function node(id: string, host: string, options: NodeOptions = {}): Promise<Node> {
  const port = await freePort();
  const args = [...nodeFlags(id, host, port), "--advertise-host", host, ...(options.args ?? [])];
  if (options.peers !== undefined) args.push("--peers", options.peers);
  const { dir, python } = options;
  const process = start({ dir, python, args, env: { ...FAST, ...options.env } });
  await healthy(host, port);
  const url = `http://${host}:${port}/status?no_cache=true`;
  const status = async (): Promise<Status> => (await getJson(url)) as unknown as Status;
  return { ...process, host, port, status };
}

function keep<T extends Recorder>(recorder: T): T {
  recorders.push(recorder);
  return recorder;
}

const at = (entry: { host: string; port: number }): string => `${entry.host}:${entry.port}`;

/** Returns what `see` gives once `isReached` holds for the node's status. */
const once = (from: Node, isReached: (status: Status) => boolean): Promise<Status> =>
  eventually(async () => {
    const status = await from.status();
    return isReached(status) ? status : undefined;
  });

const aliveIds = (status: Status): string[] =>
  Object.keys(status.all_peers)
    .filter((id) => status.all_peers[id]?.is_alive)
    .sort();

describe("a mesh", () => {
  it("forms from one seed, agrees on the lowest coordinator, and counts voters", async () => {
    const env = { RINGRIFT_P2P_VOTERS: "a,b,c" };
    const coordinator = { ...env, RINGRIFT_IS_COORDINATOR: "true" };
    const a = await node("a", "127.23.0.1", { env });
    const b = await node("b", "127.23.0.2", { env: coordinator, peers: at(a) });
    const c = await node("c", "127.23.0.3", { env: coordinator, peers: at(a) });
    for (const [from, others] of [
      [a, ["b", "c"]],
      [b, ["a", "c"]],
      [c, ["a", "b"]],
    ] as const) {
      const status = await once(
        from,
        (s) => aliveIds(s).length >= 2 && s.voters_alive === 3 && s.leader_id === "b",
      );
      expect(aliveIds(status)).toEqual(others);
      expect(status.role).toBe(from === b ? "leader" : "follower");
    }
  });

  it("has no leader without a coordinator, however many voters live", async () => {
    const env = { RINGRIFT_P2P_VOTERS: "a,b" };
    const a = await node("a", "127.23.0.1", { env });
    const b = await node("b", "127.23.0.2", { env, peers: at(a) });
    const status = await once(b, (s) => s.voters_alive === 2);
    expect([status.leader_id, status.role]).toEqual([null, "follower"]);
  });

  it("adopts voters from others where it has none of its own", async () => {
    const a = await node("a", "127.23.0.1", { env: { RINGRIFT_P2P_VOTERS: "a,z" } });
    const b = await node("b", "127.23.0.2", { peers: at(a) });
    const status = await once(b, (s) => s.voter_node_ids.length > 0);
    expect([status.voter_node_ids, status.voter_config_source]).toEqual([["a", "z"], "gossip"]);
  });

  it("keeps a dead peer alive until 1.2 times the timeout, then drops peer, vote and leader", async () => {
    const env = { RINGRIFT_P2P_VOTERS: "a,b", RINGRIFT_P2P_PEER_TIMEOUT: "5" };
    const a = await node("a", "127.23.0.1", { env });
    const coordinator = { ...env, RINGRIFT_IS_COORDINATOR: "1" };
    const b = await node("b", "127.23.0.2", { env: coordinator, peers: at(a) });
    expect((await once(a, (s) => s.leader_id === "b")).voters_alive).toBe(2);
    b.signal("SIGKILL");
    await b.ended;
    const ages: number[] = [];
    const status = await once(a, (s) => {
      const peer = s.all_peers.b;
      if (peer?.is_alive) ages.push(peer.seconds_since_heartbeat as number);
      return peer?.is_alive === false;
    });
    expect(status.all_peers.b?.effective_timeout).toBe(6);
    // Told with three decimals.
    expect(Math.max(...ages)).toBeLessThanOrEqual(6);
    expect(status.all_peers.b?.seconds_since_heartbeat).toBeGreaterThanOrEqual(6);
    expect([status.leader_id, status.voters_alive, status.voter_quorum_ok]).toEqual([
      null,
      1,
      true,
    ]);
  });

  it.each([
    ["vast-1", 25],
    ["lambda-1", 20],
    ["nebius-1", 15],
    ["hetzner-1", 10],
    ["aws-1", 12],
  ])("waits longer for a poor provider: %s", async (id, seconds) => {
    const a = await node("a", "127.23.0.1", { env: { RINGRIFT_P2P_PEER_TIMEOUT: "10" } });
    const body = JSON.stringify({ node_id: id, host: "192.0.2.1", port: 8770 });
    await fetch(`http://${at(a)}/heartbeat`, { method: "POST", body });
    expect((await a.status()).all_peers[id]?.effective_timeout).toBe(seconds);
  });
});

describe("a peer that arrives from 127.0.0.1", () => {
  it("is recorded as the receiver, which then dials itself, counts no failure and lists itself", async () => {
    const a = await node("a", "127.0.0.1");
    const body = JSON.stringify({ node_id: "far", host: "100.64.0.9", port: a.port });
    await fetch(`http://${at(a)}/heartbeat`, { method: "POST", body });
    const status = await once(a, (s) => s.all_peers.a !== undefined);
    expect(status.all_peers.far).toMatchObject({
      host: "127.0.0.1",
      port: a.port,
      reported_host: "100.64.0.9",
      consecutive_failures: 0,
    });
    expect([aliveIds(status), status.alive_peers]).toEqual([["a", "far"], 2]);
  });
});

describe("an empty peer", () => {
  it("aborts every cycle there: peers before it hear from the node, peers behind it only the join", async () => {
    const before = keep(await recordHttp("before", "127.23.1.1"));
    const behind = keep(await recordHttp("behind", "127.23.1.2"));
    const peers = `127.23.1.1:${before.port},,127.23.1.2:${behind.port}`;
    const a = await node("a", "127.23.0.1", {
      peers,
      args: ["--relay-peers", `127.23.1.1:${before.port},127.23.1.2:${behind.port}`],
      env: { RINGRIFT_STANDIN_GOSSIP: "off" },
    });
    await eventually(async () => {
      const sent = before.requests.filter((request) => request === "POST /relay/heartbeat");
      return sent.length >= 3 ? true : undefined;
    });
    expect(behind.requests.filter((request) => request === "POST /relay/heartbeat")).toEqual([]);
    expect(a.stdout()).toContain("heartbeat cycle aborted: ValueError: no host in peer address ''");
    expect((await a.status()).stand_in_details.known_peers).toEqual(peers.split(","));
  });
});

describe("--relay-peers", () => {
  it("counts only for a string that stands in --peers exactly so", async () => {
    const same = keep(await recordHttp("same", "127.23.1.1"));
    const other = keep(await recordHttp("other", "127.23.1.2"));
    const [one, two] = [`127.23.1.1:${same.port}`, `127.23.1.2:${other.port}`];
    const args = ["--relay-peers", `${one},http://${two}`];
    await node("a", "127.23.0.1", { peers: `${one},${two}`, args });
    const paths = (recorder: Recorder): Promise<string[]> =>
      eventually(async () => {
        const beats = recorder.requests.filter((request) => request.includes("heartbeat"));
        return beats.length >= 5 ? beats.slice(0, 5) : undefined;
      });
    const plain = "POST /heartbeat";
    const relayed = "POST /relay/heartbeat";
    expect(await paths(same)).toEqual([plain, plain, relayed, relayed, relayed]);
    expect(await paths(other)).toEqual([plain, plain, plain, plain, plain]);
  });
});

describe("relay mode", () => {
  const hosts = "hosts:\n  a: {nat_blocked: true, force_relay_mode: false}\n";

  it("sends relay heartbeats only, and sees through the relay who lives", async () => {
    const dir = checkout(hosts);
    const env = { RINGRIFT_IS_COORDINATOR: "true" };
    const relay = await node("r", "127.23.0.1", { env });
    const worker = await node("w", "127.23.0.2", { peers: at(relay) });
    const a = await node("a", "127.23.0.3", {
      dir,
      peers: at(relay),
      args: ["--ringrift-path", dir],
      env: { RINGRIFT_IS_COORDINATOR: "true" },
    });
    const status = await once(a, (s) => ["r", "w"].every((id) => s.all_peers[id]?.is_alive));
    // A node in relay mode does not lead, though its id is the lowest.
    expect([status.stand_in_details.is_relayed, status.leader_id]).toEqual([true, "r"]);
    const seen = await once(worker, (s) => s.all_peers.a?.is_alive === true);
    expect(seen.all_peers.a).toMatchObject({ nat_blocked: true, relay_via: "r" });
    expect(seen.leader_id).toBe("r");
    expect(relay.stdout()).toContain('"POST /relay/heartbeat HTTP/1.1" 200');

    const command = JSON.stringify({ target_node_id: "a", type: "start_job", payload: {} });
    const queued = await fetch(`http://${at(relay)}/relay/enqueue`, {
      method: "POST",
      body: command,
    });
    const { id } = (await queued.json()) as { id: string };
    const results = await eventually(async () => {
      const answer = await getJson(`http://${at(relay)}/relay/status`);
      return Object.keys(answer.results as object).length > 0 ? answer : undefined;
    });
    expect(results).toEqual({
      success: true,
      pending: {},
      results: { a: [{ id, ok: false, error: "the stand-in starts no jobs" }] },
    });
  });

  it("is not found where --ringrift-path is the repository root", async () => {
    const dir = checkout(hosts);
    const root = temporaryFolder();
    spawnSync("ln", ["-s", dir, `${root}/ai-service`]);
    const a = await node("a", "127.23.0.1", { dir, args: ["--ringrift-path", root] });
    expect((await a.status()).stand_in_details.is_relayed).toBe(false);
  });
});

describe("a peer that takes no heartbeats", () => {
  it("is asked for the others again and again, and is never one of them", async () => {
    const b = await node("b", "127.23.1.1");
    const listed = { b: { node_id: "b", host: b.host, port: b.port } };
    const entry = keep(await recordEntry("127.23.1.2", listed));
    const a = await node("a", "127.23.0.1", { peers: `127.23.1.2:${entry.port}` });
    const { all_peers } = await once(a, (status) => status.alive_peers > 0);
    expect(Object.entries(all_peers).map(([name, peer]) => [name, peer.host, peer.port])).toEqual([
      ["b", b.host, b.port],
    ]);
    expect(entry.requests).toContain("POST /heartbeat");
  });
});

describe("an https peer", () => {
  it("is a relay: two heartbeats, then relay heartbeats, over a certificate that is trusted", async () => {
    const relay = keep(await recordHttps("relay", "127.23.1.1", temporaryFolder()));
    const a = await node("a", "127.23.0.1", {
      peers: `https://127.23.1.1:${relay.port}`,
      env: { SSL_CERT_FILE: relay.certificate },
    });
    const beats = await eventually(async () => {
      const sent = relay.requests.filter((request) => request.includes("heartbeat"));
      return sent.length >= 4 ? sent.slice(0, 4) : undefined;
    });
    const relayed = "POST /relay/heartbeat";
    expect(beats).toEqual(["POST /heartbeat", "POST /heartbeat", relayed, relayed]);
    expect(relay.requests).toContain("GET /relay/peers");
    expect((await a.status()).all_peers.relay).toMatchObject({ scheme: "https", is_alive: true });
  });

  it("gets no request where its certificate is not trusted", async () => {
    const relay = keep(await recordHttps("relay", "127.23.1.1", temporaryFolder()));
    const a = await node("a", "127.23.0.1", { peers: `https://127.23.1.1:${relay.port}` });
    await eventually(async () => {
      const failed = a.stdout().match(/relay\/heartbeat failed/g) ?? [];
      return failed.length >= 2 ? true : undefined;
    });
    expect(relay.requests).toEqual([]);
    expect((await a.status()).all_peers).toEqual({});
  });
});

describe("RINGRIFT_SOCKS_PROXY", () => {
  it("carries every request where aiohttp-socks is installed", async () => {
    const proxy = keep(await recordSocks("127.23.2.1"));
    const peer = keep(await recordHttp("peer", "127.23.1.1"));
    const a = await node("a", "127.23.0.1", {
      peers: `127.23.1.1:${peer.port}`,
      env: { RINGRIFT_SOCKS_PROXY: `socks5://127.23.2.1:${proxy.port}` },
    });
    await once(a, (s) => s.all_peers.peer?.is_alive === true);
    expect((await a.status()).stand_in_details.is_proxied).toBe(true);
    expect(new Set(proxy.requests)).toContain(`127.23.1.1:${peer.port}`);
  });

  it("is silently ignored where it is not", async () => {
    const proxy = keep(await recordSocks("127.23.2.1"));
    const peer = keep(await recordHttp("peer", "127.23.1.1"));
    const a = await node("a", "127.23.0.1", {
      python: pythonWithout("aiohttp_socks", temporaryFolder()),
      peers: `127.23.1.1:${peer.port}`,
      env: { RINGRIFT_SOCKS_PROXY: `socks5://127.23.2.1:${proxy.port}` },
    });
    await once(a, (s) => s.all_peers.peer?.is_alive === true);
    expect((await a.status()).stand_in_details.is_proxied).toBe(false);
    expect(proxy.requests).toEqual([]);
    expect(a.stderr()).toBe("");
  });
});

describe("a token on one node only", () => {
  it("gives an asymmetric view: it sees the others, they do not see it alive", async () => {
    const voters = { RINGRIFT_P2P_VOTERS: "guarded,plain" };
    const plain = await node("plain", "127.23.0.1", { env: voters });
    const guarded = await node("guarded", "127.23.0.2", {
      peers: at(plain),
      env: { ...voters, RINGRIFT_CLUSTER_AUTH_TOKEN: "t0ken" },
    });
    const isRefused = (s: Status): boolean => s.all_peers.guarded?.is_alive === false;
    const seen = await once(plain, isRefused);
    expect(seen.all_peers.guarded?.seconds_since_heartbeat).toBeLessThan(60);
    expect([seen.alive_peers, seen.voters_alive]).toEqual([0, 1]);
    const seeing = await once(guarded, (s) => s.all_peers.plain?.is_alive === true);
    expect(seeing.voters_alive).toBe(2);
  });
});
