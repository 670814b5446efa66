import { readFileSync } from "node:fs";
import * as https from "node:https";
import { loopbackAddress } from "../../hosts/plan/number";
import { eventually } from "../eventually";
import { identityOf, type Signing } from "./signing";
import {
  ask,
  cleanUp,
  edge,
  type Edge,
  forwarder,
  type Forwarder,
  freeNumber,
  freePort,
  pair,
  type Pair,
} from "./forwarders";

// Every way in from outside leads to the one inbound port: directly and over the tailnet as plain HTTP, through the
// node's tunnel and the shared entry behind an edge. What else a forwarder opens is on loopback.
let mesh: Pair;
let door: Edge;
const identity = (signing: Signing = {}) => identityOf(mesh.nodes["a"]?.number ?? 0, signing);

/** A request through the edge: status and fault. */
function through(id: string | null, path = "/x"): Promise<[number, string | undefined]> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(door.certificate);
    const headers = id === null ? {} : { "X-P2P-Identity": id };
    const request = https.request(
      { host: "localhost", port: door.port, path, headers, ca, agent: false },
      (answer) => {
        answer.resume();
        const fault = answer.headers["x-p2p-fault"];
        answer.on("end", () =>
          resolve([answer.statusCode ?? 0, typeof fault === "string" ? fault : undefined]),
        );
      },
    );
    request.on("error", reject);
    request.end();
  });
}

beforeAll(async () => {
  mesh = await pair({ ownB: { servesEntry: true } });
  door = await edge(mesh.b.inbound);
  await eventually(async () => ((await through(identity()))[0] === 200 ? true : undefined));
});
afterAll(cleanUp);
beforeEach(() => mesh.daemonB.seen.splice(0));

describe("a tunnel and the entry", () => {
  it.each<[string, () => string | null, [number, string]]>([
    ["no identity", () => null, [401, "identity"]],
    ["garbage for one", () => "p2p1 a b", [401, "identity"]],
    ["another secret's", () => identity({ secret: "somebody else's secret" }), [401, "signature"]],
    ["another path's", () => identity({ target: "/y" }), [401, "signature"]],
    ["another node's", () => identity({ receiver: "c" }), [421, "receiver"]],
    ["one for anybody", () => identity({ receiver: "*" }), [421, "receiver"]],
    ["an old one", () => identity({ time: Date.now() - 31_000 }), [401, "clock"]],
  ])("refuse %s, and nothing reaches the daemon", async (_, make, expected) => {
    expect(await through(make())).toEqual(expected);
    expect(mesh.daemonB.seen).toEqual([]);
  });

  it("let an identity in once, whichever way it comes the second time", async () => {
    const id = identity();
    expect((await through(id))[0]).toBe(200);
    expect(await through(id)).toEqual([401, "replay"]);
    const direct = await ask("127.0.0.1", mesh.b.inbound, {
      path: "/x",
      headers: { "X-P2P-Identity": id },
    });
    expect([direct.status, direct.headers["x-p2p-fault"]]).toEqual([401, "replay"]);
    expect(mesh.daemonB.seen).toHaveLength(1);
  });

  it("tell anybody of the fleet who the nodes are, once, and only that", async () => {
    const id = identity({ receiver: "*", target: "/.p2p/nodes" });
    expect(await through(id, "/.p2p/nodes")).toEqual([200, undefined]);
    expect(await through(id, "/.p2p/nodes")).toEqual([401, "replay"]);
    expect((await through(null, "/.p2p/nodes"))[0]).toBe(401);
    expect(mesh.daemonB.seen).toEqual([]);
  });
});

describe("an entry with several voters behind it", () => {
  let newcomer: Forwarder;
  let entryPort: number;
  let many: Edge;
  let voters: readonly [string, number][];

  beforeAll(async () => {
    const numbers = [freeNumber(), freeNumber(), freeNumber()];
    const port = await freePort();
    const entries = { v: { number: numbers[0] ?? 0, port }, w: { number: numbers[1] ?? 0, port } };
    const late = { late: { number: numbers[2] ?? 0, port } };
    const own = { servesEntry: true };
    const serving = await Promise.all(
      Object.keys(entries).map(async (name) => {
        const inbound = await freePort();
        const node = { name, daemonPort: mesh.daemonB.port, inbound, own };
        // Addresses of their own to listen on: they are on one machine here.
        return forwarder({ ...node, nodes: { [name]: entries[name as "v" | "w"] } });
      }),
    );
    const [v, w] = serving;
    let turn = 0;
    many = await edge(() => ((turn += 1) % 3 === 0 ? v : w)?.inbound ?? 0);
    entryPort = await freePort();
    voters = Object.values(entries).map(({ number }) => [loopbackAddress(number), port]);
    const nodes = {
      ...late,
      v: { ...entries.v, watch: true },
      w: { ...entries.w, watch: true },
    };
    newcomer = await forwarder({
      ...{ name: "late", daemonPort: mesh.daemonA.port, inbound: await freePort(), nodes },
      learn: true,
      entry: `https://localhost:${many.port}`,
      own: { caFile: many.certificate, entryPort },
    });
  });

  it("is used with requests that are meant for one of them, whoever answers", async () => {
    for (let done = 0; done < 6; done += 1)
      expect((await ask("127.64.0.0", entryPort)).status).toBe(200);
    expect(mesh.daemonB.seen).toHaveLength(6);
    const receivers = many.requests
      .filter(({ url }) => url === "/")
      .map(({ headers }) => String(headers["x-p2p-identity"]).split(" ")[2]);
    // Only the very first one is for anybody, and is refused.
    expect(receivers[0]).toBe("*");
    expect(receivers.slice(1).filter((name) => name !== "v" && name !== "w")).toEqual([]);
    expect((await newcomer.status()).cutOff).toEqual([]);
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])(
    "answers no %s, so that no daemon records who is there",
    async (method) => {
      const answer = await ask("127.64.0.0", entryPort, { method, body: "hello", path: "/told" });
      expect([answer.status, JSON.parse(answer.body)]).toEqual([
        421,
        {
          error:
            "this is the entry, no node's address, and only GET and HEAD are answered: GET /relay/peers tells the nodes'",
          by: "forwarder",
        },
      ]);
      expect(mesh.daemonB.seen).toEqual([]);
      expect(many.requests.filter(({ url }) => url === "/told")).toEqual([]);
    },
  );

  it("is the way to a voter that has no other, and never to another one", async () => {
    for (const [address, port] of [...voters, ...voters])
      expect(
        (await ask(address, port, { method: "POST", body: "hello", path: "/own" })).status,
      ).toBe(200);
    expect(mesh.daemonB.seen).toHaveLength(4);
    const status = await newcomer.status();
    expect(["v", "w"].map((name) => status.peers[name]?.paths.map(({ path }) => path))).toEqual([
      ["cloudflare"],
      ["cloudflare"],
    ]);
  });
});

describe("an entry whose edge always takes the same voter", () => {
  it("tells a newcomer of all nodes, which it then reaches by ways of their own", async () => {
    const names = ["v", "w", "worker"];
    const port = await freePort();
    const inbound = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await freePort()] as const)),
    );
    const nodes = Object.fromEntries(
      names.map((name) => [
        name,
        {
          ...{ number: freeNumber(), port, watch: name !== "worker" },
          // That one voter is behind the entry alone.
          ...(name === "v" ? {} : { direct: `127.0.0.1:${inbound[name]}` }),
        },
      ]),
    );
    const serving = await Promise.all(
      names.map((name) =>
        forwarder({
          ...{ name, daemonPort: mesh.daemonB.port, inbound: inbound[name] ?? 0 },
          // Only the first one listens for the others, and is who tells of them: they are on one machine here.
          nodes: name === "v" ? nodes : { [name]: nodes[name] as (typeof nodes)[string] },
          own: { servesEntry: name !== "worker" },
        }),
      ),
    );
    const same = await edge(inbound["v"] ?? 0);
    const newcomer = await forwarder({
      ...{ name: "new", daemonPort: mesh.daemonA.port, inbound: await freePort(), learn: true },
      nodes: { new: { number: freeNumber(), port } },
      entry: `https://localhost:${same.port}`,
      own: { caFile: same.certificate, entryPort: await freePort() },
    });
    const ways = await eventually(async () => {
      const { peers, cutOff } = await newcomer.status();
      const found = names.map((name) => [
        name,
        peers[name]?.paths.map(({ path, address, up }) => [path, address, up]),
      ]);
      const isKnown = names.every((name) => peers[name]?.paths[0]?.up || name === "worker");
      return peers["worker"] && isKnown ? { found, cutOff } : undefined;
    });
    expect(ways).toEqual({
      found: [
        ["v", [["cloudflare", "https://localhost", true]]],
        ["w", [["direct", `127.0.0.1:${inbound["w"]}`, true]]],
        ["worker", [["direct", `127.0.0.1:${inbound["worker"]}`, null]]],
      ],
      cutOff: [],
    });
    expect(serving).toHaveLength(3);
    expect(new Set(same.requests.map(({ url }) => url))).toEqual(
      new Set(["/.p2p/nodes", "/.p2p/ping"]),
    );
  });
});

describe("what is not for other hosts", () => {
  it("is on loopback: the page that says how it stands, and the nodes' addresses", async () => {
    const listening = readFileSync("/proc/net/tcp", "latin1")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A")
      .map((fields) => (fields[1] ?? "").split(":"))
      .map(([address = "", port = ""]) => [
        Number.parseInt(address.slice(6), 16),
        Number.parseInt(port, 16),
      ]);
    for (const port of [mesh.a.admin, mesh.b.admin, mesh.toB.port])
      expect([
        ...new Set(listening.filter(([, other]) => other === port).map(([first]) => first)),
      ]).toEqual([127]);
  });

  it("cannot be read under a name of somebody's own, nor be written to", async () => {
    const status = async (host: string, method = "GET") =>
      (await ask("127.0.0.1", mesh.b.admin, { path: "/status", method, headers: { Host: host } }))
        .status;
    expect(await status("rebound.example.com")).toBe(403);
    expect(await status(`127.0.0.1:${mesh.b.admin}`)).toBe(200);
    expect(await status("127.0.0.1", "POST")).toBe(405);
  });
});
