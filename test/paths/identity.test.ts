import { eventually } from "../eventually";
import {
  ask,
  type Answer,
  cleanUp,
  daemon,
  forwarder,
  freeNumber,
  freePort,
  pair,
  type Pair,
  raw,
  SECRET,
} from "./forwarders";
import { identityOf, type Signing } from "./signing";

let mesh: Pair;
beforeAll(async () => {
  mesh = await pair();
  // What was signed in the first moments after a start could have been used with the process before.
  await eventually(async () => ((await knock(identity())).status === 200 ? true : undefined));
});
afterAll(cleanUp);
beforeEach(() => mesh.daemonB.seen.splice(0));

const identity = (signing: Signing = {}) => identityOf(mesh.nodes["a"]?.number ?? 0, signing);

const knock = (
  id: string | string[] | null,
  more: Parameters<typeof ask>[2] = {},
): Promise<Answer> =>
  ask("127.0.0.1", mesh.b.inbound, {
    path: "/x",
    ...more,
    headers: { ...more.headers, ...(id === null ? {} : { "X-P2P-Identity": id }) },
  });
const fault = ({ status, headers }: Answer) => [status, headers["x-p2p-fault"]];

describe("the inbound port", () => {
  it("lets in who is signed as the protocol says, in that node's name", async () => {
    expect((await knock(identity())).status).toBe(200);
    expect(mesh.daemonB.seen.map(({ from }) => from)).toEqual([mesh.fromA]);
  });

  it.each([
    ["no identity", () => null, [401, "identity"]],
    ["an empty one", () => "", [401, "identity"]],
    ["one of another protocol", () => identity().replace("p2p1", "p2p9"), [401, "identity"]],
    ["another secret", () => identity({ secret: "somebody else's secret" }), [401, "signature"]],
    ["another method", () => identity({ method: "POST" }), [401, "signature"]],
    ["another path", () => identity({ target: "/y" }), [401, "signature"]],
    ["another sender's name put in", () => identity().replace(" a ", " c "), [401, "signature"]],
    ["another node's name as receiver", () => identity({ receiver: "c" }), [421, "receiver"]],
    [
      "anybody as receiver, which only the entry serves",
      () => identity({ receiver: "*" }),
      [421, "receiver"],
    ],
    ["the receiver's own name", () => identity({ sender: "b" }), [401, "sender"]],
    [
      "a stranger's name with a number that is taken",
      () => identity({ sender: "zz" }),
      [401, "sender"],
    ],
    ["an old time", () => identity({ time: Date.now() - 60_000 }), [401, "clock"]],
    ["a time to come", () => identity({ time: Date.now() + 60_000 }), [401, "clock"]],
    ["a length that is not the body's", () => identity({ body: "5" }), [401, "body"]],
  ])("refuses %s, and nothing reaches the daemon", async (_, make, expected) => {
    expect(fault(await knock(make()))).toEqual(expected);
    expect(mesh.daemonB.seen).toEqual([]);
  });

  it("refuses two identities, and one that comes again", async () => {
    expect(fault(await knock([identity(), identity()]))).toEqual([401, "identity"]);
    const id = identity();
    expect((await knock(id)).status).toBe(200);
    expect(fault(await knock(id))).toEqual([401, "replay"]);
    expect(mesh.daemonB.seen).toHaveLength(1);
  });

  it("refuses a replay also after it was killed and came back, and nothing of its own fleet", async () => {
    // One of them from a clock that is ahead, as far as that is let in.
    const ids = [identity(), identity({ time: Date.now() + 1_500 })];
    for (const id of ids) expect((await knock(id)).status).toBe(200);
    await mesh.b.kill("SIGKILL");
    await mesh.b.start();
    const again = () => Promise.all(ids.map(async (id) => fault(await knock(id))));
    expect(await again()).toEqual([
      [401, "clock"],
      [401, "clock"],
    ]);
    expect(mesh.daemonB.seen).toHaveLength(2);
    // A forwarder signs for the time that it is told.
    expect((await ask(mesh.toB.host, mesh.toB.port, { method: "POST", body: "x" })).status).toBe(
      200,
    );
    await eventually(async () => ((await knock(identity())).status === 200 ? true : undefined));
    expect((await again()).map(([status]) => status)).toEqual([401, 401]);
  });

  it("refuses a second request that was smuggled behind the first", async () => {
    const text = await raw(
      "127.0.0.1",
      mesh.b.inbound,
      `GET /x HTTP/1.1\r\nHost: x\r\nX-P2P-Identity: ${identity()}\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      "200",
      "401",
    ]);
    expect(mesh.daemonB.seen.map(({ url }) => url)).toEqual(["/x"]);
  });

  it("tells pings only to the fleet, and says in its events who was refused", async () => {
    expect(fault(await knock(null, { path: "/.p2p/ping" }))).toEqual([401, "identity"]);
    const ping = identity({ target: "/.p2p/ping" });
    expect(JSON.parse((await knock(ping, { path: "/.p2p/ping" })).body)).toMatchObject({
      node: "b",
    });
    const { b } = await pair();
    expect((await ask("127.0.0.1", b.inbound, { path: "/.p2p/ping" })).status).toBe(401);
    expect((await b.status()).refused).toMatchObject({ identity: 1 });
    const reasons = (await b.events())
      .filter(({ what, reason }) => what === "refused" && reason.startsWith("identity: "))
      .map(({ reason }) => reason);
    expect(reasons).toEqual(["identity: no identity (1 so far)"]);
  });

  it("knows a node that is newer than its own list by its signed number", async () => {
    const number = freeNumber();
    expect((await knock(identity({ sender: "newcomer", number }))).status).toBe(200);
    expect(mesh.daemonB.seen.map(({ from }) => from.split(".").slice(0, 1))).toEqual([["127"]]);
    const taken = identity({ sender: "newcomer", number: mesh.nodes["b"]?.number ?? 0 });
    expect(fault(await knock(taken))).toEqual([401, "sender"]);
  });
});

describe("a clock that is wrong", () => {
  it("is noticed, reported, and does not keep requests from their way", async () => {
    const wrong = await pair({ optionsA: { clock: 3600 } });
    const answer = await ask(wrong.toB.host, wrong.toB.port, { method: "POST", body: "hello" });
    expect(JSON.parse(answer.body)).toMatchObject({ from: wrong.fromA, length: 5 });
    await eventually(async () => {
      const skew = (await wrong.a.status()).peers["b"]?.clockSkewMilliseconds ?? 0;
      return Math.abs(skew + 3_600_000) < 60_000 ? true : undefined;
    });
    const clocks = (await wrong.a.events()).filter(({ what }) => what === "clock");
    expect(clocks.map(({ peer, reason }) => [peer, reason.replace(/\d+\.\d/, "N")])).toEqual([
      ["b", "its clock differs by -N s"],
    ]);
    expect(wrong.daemonB.seen).toHaveLength(1);
  });

  it("may be set back by hours while requests come", async () => {
    const ahead = await pair({ optionsB: { clock: 7200 } });
    const post = () => ask(ahead.toB.host, ahead.toB.port, { method: "POST", body: "hello" });
    expect((await post()).status).toBe(200);
    ahead.b.writeRaw("clock", "0");
    expect((await post()).status).toBe(200);
    // The next process does not let in what this one may have let in.
    await ahead.b.kill("SIGTERM");
    await ahead.b.start();
    await eventually(async () => ((await post()).status === 200 ? true : undefined));
    const skew = (await ahead.a.status()).peers["b"]?.clockSkewMilliseconds ?? 0;
    expect(Math.round(skew / 600_000)).toBe(12);
  });
});

describe("a new fleet secret", () => {
  it("is taken up without a restart, one host after the other", async () => {
    const both = await pair({ handle: undefined });
    const post = () => ask(both.toB.host, both.toB.port, { method: "POST", body: "x" });
    expect((await post()).status).toBe(200);
    const [pidA, pidB] = [both.a.pid(), both.b.pid()];
    const next = "the next fleet secret, just as long";
    const reads = async (node: Pair["a"]) =>
      (await node.events()).filter(({ what }) => what === "secret").length;
    const write = async (node: Pair["a"], text: string) => {
      const before = await reads(node);
      node.writeRaw("secret", text);
      await eventually(async () => ((await reads(node)) > before ? true : undefined));
      expect((await post()).status).toBe(200);
    };
    await write(both.a, `${next}\n${SECRET}\n`);
    await write(both.b, `${next}\n${SECRET}\n`);
    await write(both.b, `${next}\n`);
    await write(both.a, `${next}\n`);
    expect([both.a.pid(), both.b.pid()]).toEqual([pidA, pidB]);
    expect((await both.b.status()).cutOff).toEqual([]);
  });

  it("that only one of two hosts knows is named as the reason", async () => {
    const [other, inbound, port] = [await daemon(), await freePort(), await freePort()];
    const strangers = {
      a: { number: freeNumber(), port, direct: "127.0.0.1:1" },
      b: { number: freeNumber(), port, watch: true, direct: `127.0.0.1:${mesh.b.inbound}` },
    };
    const lone = await forwarder({
      ...{ name: "a", daemonPort: other.port, inbound, nodes: strangers },
      secret: "a secret that nobody else knows",
    });
    const path = await eventually(async () => {
      const found = (await lone.status()).peers["b"]?.paths[0];
      return found?.up === false ? found : undefined;
    });
    expect(path.reason).toBe("it knows another fleet secret");
  });
});
