import type * as http from "node:http";
import { Readable } from "node:stream";
import { type Recorder, recordSocks } from "../lab/daemon/fakeServers";
import { eventually } from "../eventually";
import {
  ask,
  cleanUp,
  edge,
  type Edge,
  type Forwarder,
  type Link,
  link,
  pair,
  type Pair,
  type PairOptions,
} from "./forwarders";

jest.setTimeout(180_000);
const recorders: Recorder[] = [];
afterEach(async () => {
  await cleanUp();
  await Promise.all(recorders.splice(0).map((recorder) => recorder.close()));
});

const post = (mesh: Pair, path = "/") =>
  ask(mesh.toB.host, mesh.toB.port, { method: "POST", path, body: "hello" });
const get = (mesh: Pair, path = "/") => ask(mesh.toB.host, mesh.toB.port, { path });
const active = async (node: Forwarder) => (await node.status()).peers["b"]?.active;
const becomes = (node: Forwarder, path: string) =>
  eventually(async () => ((await active(node)) === path ? true : undefined));
const changes = async (node: Forwarder) =>
  (await node.events()).filter(({ what, peer }) => what === "active" && peer === "b");
const isUp = (node: Forwarder, path: string, up: boolean | null) =>
  eventually(async () => {
    const found = (await node.status()).peers["b"]?.paths.find((one) => one.path === path);
    return found?.up === up ? found : undefined;
  });

interface Two extends Pair {
  readonly first: Link;
  readonly second: Link;
}

/** b is reached over the tailnet and directly; both are links that can be cut. */
async function two(options: PairOptions = {}): Promise<Two> {
  const links: Link[] = [];
  const mesh = await pair({
    waysToB: async (inbound) => {
      links.push(await link(inbound), await link(inbound));
      const [first, second] = links.map(({ port }) => `127.0.0.1:${port}`);
      return { tailscale: first, direct: second };
    },
    ...options,
    own: { tailnet: "tun", ...options.own },
  });
  const [first, second] = links as [Link, Link];
  await isUp(mesh.a, "tailscale", true);
  await isUp(mesh.a, "direct", true);
  return { ...mesh, first, second };
}

describe("a path that is cut", () => {
  it.each(["refuse", "swallow"] as const)(
    "is left for the next one, and taken again when it has settled: %s",
    async (mode) => {
      const mesh = await two();
      expect([(await get(mesh)).status, await active(mesh.a)]).toEqual([200, "tailscale"]);
      await mesh.first.set(mode);
      await becomes(mesh.a, "direct");
      expect((await post(mesh)).status).toBe(200);
      await mesh.first.set("open");
      await becomes(mesh.a, "tailscale");
      expect((await post(mesh)).status).toBe(200);
      const moves = await changes(mesh.a);
      expect(moves.map(({ path }) => path)).toEqual(["direct", "tailscale"]);
      expect(moves[0]?.reason).toMatch(
        /^tailscale is down: (connection refused|no answer|no connection)/,
      );
      expect(moves[1]?.reason).toBe("tailscale is back");
      expect(mesh.daemonB.seen.map(({ from }) => from)).toEqual([
        mesh.fromA,
        mesh.fromA,
        mesh.fromA,
      ]);
    },
  );

  it("costs a request that was not sent yet nothing but the way round", async () => {
    const mesh = await two({ own: { probeSeconds: 60, standbySeconds: 60, misses: 5 } });
    await mesh.first.set("refuse");
    const answer = await post(mesh);
    expect([answer.status, await active(mesh.a)]).toEqual([200, "tailscale"]);
    expect(mesh.daemonB.seen).toHaveLength(1);
  });

  it("does not keep a safe request that waits for an answer, and repeats no other", async () => {
    let block = true;
    const handle = (request: http.IncomingMessage, response: http.ServerResponse): boolean => {
      if (!request.url?.startsWith("/slow")) return false;
      if (!block) response.end("answered");
      return true;
    };
    const mesh = await two({ handle });
    const safe = get(mesh, "/slow-get");
    const unsafe = post(mesh, "/slow-post").catch((error: Error) => error.message);
    await eventually(() => (mesh.daemonB.seen.length === 2 ? true : undefined));
    block = false;
    await mesh.first.set("swallow");
    expect((await safe).body).toBe("answered");
    await mesh.first.set("refuse");
    expect(await unsafe).toMatchObject({ status: 502 });
    expect(mesh.daemonB.seen.map(({ url }) => url).sort()).toEqual([
      "/slow-get",
      "/slow-get",
      "/slow-post",
    ]);
  });

  it("loses no heartbeat or gossip that it has swallowed, long before it is known to be down", async () => {
    const mesh = await two({ own: { probeSeconds: 60, standbySeconds: 60, misses: 100 } });
    // The next request goes out on this one's connection, which nobody knows to be dead.
    expect((await post(mesh, "/before")).status).toBe(200);
    await mesh.first.set("swallow");
    const told = ["/heartbeat", "/gossip", "/gossip/anti-entropy?full=1"];
    const answers = await Promise.all(told.map((path) => post(mesh, path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(mesh.daemonB.seen.map(({ url }) => url).sort()).toEqual(["/before", ...told].sort());
    expect(await active(mesh.a)).toBe("tailscale");
  });

  it("with all others holds a request for as long as the daemon waits, and sends it once", async () => {
    const mesh = await two({ own: { holdSeconds: 60 } });
    for (const cut of [mesh.first, mesh.second]) await cut.set("refuse");
    const isCutOff = async () => ((await mesh.a.status()).cutOff.includes("b") ? true : undefined);
    await eventually(isCutOff);
    const held = post(mesh, "/anything");
    const chunked = ask(mesh.toB.host, mesh.toB.port, {
      ...{ method: "POST", path: "/chunked", body: Readable.from(["a", "b"]) },
    });
    await eventually(async () =>
      (await mesh.a.status()).peers["b"]?.requests === 2 ? true : undefined,
    );
    await mesh.second.set("open");
    expect([(await held).status, (await chunked).status]).toEqual([200, 200]);
    expect(mesh.daemonB.seen.map(({ url }) => url).sort()).toEqual(["/anything", "/chunked"]);
    expect(JSON.parse((await chunked).body)).toMatchObject({ length: 2 });
  });

  it("together with the other one is told soon, and either of them brings the node back", async () => {
    const mesh = await two();
    for (const back of ["first", "second"] as const) {
      await mesh.first.set("refuse");
      await mesh.second.set("refuse");
      await eventually(async () =>
        (await mesh.a.status()).cutOff.includes("b") ? true : undefined,
      );
      const answer = await post(mesh);
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.body)).toMatchObject({
        error: expect.stringMatching(
          /^no path to b worked: (direct|tailscale): connection refused; /,
        ),
      });
      await mesh[back].set("open");
      await eventually(async () => ((await post(mesh)).status === 200 ? true : undefined));
      expect((await mesh.a.status()).cutOff).toEqual([]);
    }
  });

  it("lets what is under way finish where it is, when only another path is better", async () => {
    const mesh = await two({
      handle: (request, response) => {
        if (request.url !== "/long") return false;
        response.write("begun ");
        release = () => void response.end("ended");
        return true;
      },
    });
    let release: () => void = () => undefined;
    await mesh.first.set("refuse");
    await becomes(mesh.a, "direct");
    const long = get(mesh, "/long");
    await eventually(() => (mesh.daemonB.seen.length === 1 ? true : undefined));
    await mesh.first.set("open");
    await becomes(mesh.a, "tailscale");
    release();
    expect((await long).body).toBe("begun ended");
  });
});

describe("a peer that is down", () => {
  it("is told apart from a path that is down", async () => {
    const mesh = await two();
    await mesh.daemonB.close();
    const answer = await post(mesh);
    expect([answer.status, (JSON.parse(answer.body) as { error: string }).error]).toEqual([
      502,
      "the daemon: connection refused",
    ]);
    await eventually(async () =>
      (await mesh.a.status()).peers["b"]?.daemon === "connection refused" ? true : undefined,
    );
    const { peers, cutOff } = await mesh.a.status();
    expect(peers["b"]?.paths.map(({ path, up }) => [path, up])).toEqual([
      ["tailscale", true],
      ["direct", true],
    ]);
    expect([cutOff, await changes(mesh.a)]).toEqual([[], []]);
  });
});

describe("ten flaps in a minute's worth of probes", () => {
  it("cause at most one change", async () => {
    const mesh = await two({ own: { settleSeconds: 60 } });
    for (let flap = 0; flap < 10; flap += 1) {
      await mesh.first.set(flap % 2 ? "swallow" : "refuse");
      await new Promise((resolve) => setTimeout(resolve, 700));
      await mesh.first.set("open");
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect((await post(mesh)).status).toBe(200);
    }
    expect((await changes(mesh.a)).length).toBeLessThanOrEqual(1);
  });
});

describe("the tailnet in userspace", () => {
  it("is reached through the SOCKS proxy", async () => {
    const socks = await recordSocks("127.0.0.1");
    recorders.push(socks);
    const mesh = await pair({
      waysToB: (inbound) => ({ tailscale: `127.0.0.1:${inbound}` }),
      own: { tailnet: "userspace", socks: `127.0.0.1:${socks.port}` },
    });
    expect((await post(mesh)).status).toBe(200);
    expect(new Set(socks.requests)).toEqual(new Set([`127.0.0.1:${mesh.b.inbound}`]));
    await socks.close();
    const path = await isUp(mesh.a, "tailscale", false);
    expect(path.reason).toMatch(/^the SOCKS proxy does not answer: connection refused|^no answer/);
  });
});

describe("a tunnel", () => {
  async function tunnel(more: PairOptions = {}): Promise<Pair & { readonly edge: Edge }> {
    const access = JSON.stringify({ client_id: "the-id.access", client_secret: "the-secret" });
    let found: Edge | undefined;
    const own: Record<string, unknown> = { ...more.own };
    const mesh = await pair({
      waysToB: async (inbound) => {
        found = await edge(inbound);
        if (!("caFile" in own)) own["caFile"] = found.certificate;
        return { direct: `127.0.0.1:${inbound}`, cloudflare: `https://localhost:${found.port}` };
      },
      optionsA: { access },
      own,
    });
    if (!found) throw new Error("no edge");
    return { ...mesh, edge: found };
  }

  it("is used with the node's name, a checked certificate and the Access headers, which no other path sees", async () => {
    const mesh = await tunnel();
    await becomes(mesh.a, "cloudflare");
    const before = mesh.edge.requests.length;
    expect(JSON.parse((await post(mesh, "/over")).body)).toMatchObject({
      url: "/over",
      from: mesh.fromA,
    });
    const sent = mesh.edge.requests.slice(before).find(({ url }) => url === "/over");
    expect(sent?.host).toBe(`localhost:${mesh.edge.port}`);
    expect(sent?.headers).toMatchObject({
      "cf-access-client-id": "the-id.access",
      "cf-access-client-secret": "the-secret",
    });
    const shown = mesh.daemonB.seen[0]?.headers ?? {};
    expect(Object.keys(shown).filter((name) => /^cf-|forwarded|x-p2p/.test(name))).toEqual([]);
  });

  it("with a certificate of nobody we trust is down, and nothing is sent", async () => {
    const mesh = await tunnel({ own: { caFile: null } });
    const path = await isUp(mesh.a, "cloudflare", false);
    expect(path.reason).toMatch(/^certificate refused: self.signed certificate/);
    expect([mesh.edge.requests, (await post(mesh)).status]).toEqual([[], 200]);
  });

  it.each([403, 530, 502])(
    "whose edge answers %d itself is a path that is down, not a peer",
    async (status) => {
      const mesh = await tunnel({ own: { misses: 100 } });
      await becomes(mesh.a, "cloudflare");
      mesh.edge.status = status;
      expect((await get(mesh, "/safe")).status).toBe(200);
      // What may have been done behind an edge's 502 is not done again; a 403 or 530 never got there.
      expect((await post(mesh, "/unsafe")).status).toBe(status === 502 ? 502 : 200);
      const path = (await mesh.a.status()).peers["b"]?.paths.find(
        (one) => one.path === "cloudflare",
      );
      expect(path?.reason).toMatch(new RegExp(`^answered ${status}, but not by b`));
    },
  );

  it("that leads to another node is refused there and left", async () => {
    const mesh = await tunnel();
    const other = await pair();
    const wrong = await edge(other.b.inbound);
    const c = {
      ...mesh.nodes["b"],
      number: other.nodes["b"]?.number,
      cloudflare: `https://localhost:${wrong.port}`,
    };
    mesh.a.configure({ caFile: wrong.certificate }, { nodes: { a: mesh.nodes["a"], c } });
    const found = await eventually(async () => {
      const path = (await mesh.a.status()).peers["c"]?.paths.find(
        (one) => one.path === "cloudflare",
      );
      return path?.up === false ? path : undefined;
    });
    expect(found.reason).toBe("b refused it: receiver");
    expect(other.daemonB.seen).toEqual([]);
  });
});

describe("the order of paths", () => {
  it("is the fleet's, unless a node has its own", async () => {
    const mesh = await two();
    await becomes(mesh.a, "tailscale");
    const b = {
      ...mesh.nodes["b"],
      tailscale: `127.0.0.1:${mesh.first.port}`,
      direct: `127.0.0.1:${mesh.second.port}`,
    };
    mesh.a.configure(
      {},
      {
        methods: ["tailscale", "direct"],
        nodes: { ...mesh.nodes, b: { ...b, methods: ["direct", "tailscale"] } },
      },
    );
    await becomes(mesh.a, "direct");
    mesh.a.configure({}, { methods: ["tailscale"], nodes: { ...mesh.nodes, b } });
    await becomes(mesh.a, "tailscale");
    expect((await mesh.a.status()).peers["b"]?.paths.map(({ path }) => path)).toEqual([
      "tailscale",
    ]);
    expect((await post(mesh)).status).toBe(200);
  });
});
