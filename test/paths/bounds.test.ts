import * as net from "node:net";
import { eventually } from "../eventually";
import { ask, type Ask, cleanUp, type Forwarder, pair, type Pair, raw } from "./forwarders";

// Small here; `npm run test:soak` sends 10,000 idle connections and a 2 GB body.
const IDLE = Number(process.env["PATHS_IDLE"] ?? 600);
const BODY_MEBIBYTES = Number(process.env["PATHS_BODY_MEBIBYTES"] ?? 64);
/** What a forwarder may take, in MiB. */
const MOST_MEMORY = 60;

jest.setTimeout(900_000);
afterEach(cleanUp);

const post = (mesh: Pair, more: Ask = {}) =>
  ask(mesh.toB.host, mesh.toB.port, { method: "POST", body: "x", ...more });
const expectSmall = (...nodes: Forwarder[]): void => {
  for (const node of nodes) expect(node.memory("VmHWM")).toBeLessThan(MOST_MEMORY);
};

async function hold(host: string, port: number, count: number, bytes = ""): Promise<() => void> {
  const sockets: net.Socket[] = [];
  for (let done = 0; done < count; done += 100)
    await Promise.all(
      Array.from(
        { length: Math.min(100, count - done) },
        () =>
          new Promise<void>((resolve) => {
            const socket = net.connect(port, host, () => {
              if (bytes) socket.write(bytes);
              resolve();
            });
            socket.on("error", () => resolve());
            sockets.push(socket);
          }),
      ),
    );
  return () => sockets.forEach((socket) => socket.destroy());
}

describe("many idle connections", () => {
  it("to the inbound port keep nobody out, and take a bounded number of places", async () => {
    const mesh = await pair({ ownB: { inboundConnections: 256 } });
    const release = await hold("127.0.0.1", mesh.b.inbound, IDLE);
    for (let turn = 0; turn < 5; turn += 1) expect((await post(mesh)).status).toBe(200);
    const { inbound } = (await mesh.b.status()).connections as Record<
      string,
      { open: number; evicted: number }
    >;
    expect(inbound?.open).toBeLessThanOrEqual(256);
    expect(inbound?.evicted).toBeGreaterThanOrEqual(IDLE - 256);
    release();
    expectSmall(mesh.b);
  });

  it("to a node's loopback address keep nobody out either", async () => {
    const mesh = await pair({ own: { outboundConnections: 256 } });
    const release = await hold(mesh.toB.host, mesh.toB.port, IDLE);
    expect((await post(mesh)).status).toBe(200);
    release();
    expectSmall(mesh.a);
  });
});

describe("a process that may have few files open", () => {
  it("takes so many connections that it can still dial", async () => {
    const few = { descriptors: 128 };
    const patient = { idleSeconds: 3600 };
    const mesh = await pair({ own: patient, ownB: patient, optionsA: few, optionsB: few });
    const doors = [
      await hold(mesh.toB.host, mesh.toB.port, 200),
      await hold("127.0.0.1", mesh.b.inbound, 200),
    ];
    for (let turn = 0; turn < 3; turn += 1) expect((await post(mesh)).status).toBe(200);
    for (const release of doors) release();
  });
});

describe("a slow head", () => {
  it("is cut off in time, however it drips", async () => {
    const mesh = await pair({ ownB: { headSeconds: 1 } });
    const socket = net.connect(mesh.b.inbound, "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\n");
    const drip = setInterval(() => socket.write("X-A: b\r\n"), 100);
    await closed;
    clearInterval(drip);
    expect((await post(mesh)).status).toBe(200);
    expect(mesh.daemonB.seen).toHaveLength(1);
  });
});

describe("a thousand strangers", () => {
  it.each([
    ["half a head of any size", `GET / HTTP/1.1\r\nX: ${"y".repeat(15_500)}`],
    ["half a head that is too large", `GET / HTTP/1.1\r\nX: ${"y".repeat(31_000)}`],
    [
      "a body to a node that is not reached",
      `POST / HTTP/1.1\r\nContent-Length: 9999999\r\nX: ${"y".repeat(15_000)}\r\n\r\n${"z".repeat(100_000)}`,
    ],
  ])("with %s take a bounded place in memory", async (_, text) => {
    const mesh = await pair({
      own: { holdSeconds: 5 },
      waysToB: () => ({ direct: "127.0.0.1:1" }),
    });
    const doors = [mesh.toB, { host: "127.0.0.1", port: mesh.a.inbound }];
    for (const { host, port } of doors) {
      const release = await hold(host, port, 1_000, text);
      await mesh.a.status();
      release();
    }
    expectSmall(mesh.a);
  });
});

describe("garbage", () => {
  it("at the inbound port reaches nobody, and is counted", async () => {
    const mesh = await pair();
    for (const text of [
      "\0\0\0\0\r\n\r\n",
      "\x16\x03\x01\x02\x00\r\n\r\n",
      `GET / HTTP/1.1\r\n${"a".repeat(50_000)}`,
    ])
      await raw("127.0.0.1", mesh.b.inbound, Buffer.from(text, "latin1"));
    await eventually(async () =>
      ((await mesh.b.status()).refused["garbage"] ?? 0) >= 3 ? true : undefined,
    );
    expect(mesh.daemonB.seen).toEqual([]);
    expect((await post(mesh)).status).toBe(200);
  });
});

describe("a large body", () => {
  it("to a slow reader is not kept in memory, and others are served meanwhile", async () => {
    let go: () => void = () => undefined;
    const mesh = await pair({
      handle: (request, response) => {
        if (request.url !== "/large") return false;
        let bytes = 0;
        request.on("data", (part: Buffer) => (bytes += part.length));
        request.pause();
        go = () => void request.resume();
        request.on("end", () => response.end(String(bytes)));
        return true;
      },
    });
    const { Readable } = await import("node:stream");
    const piece = Buffer.alloc(1 << 20, "x");
    const body = Readable.from(
      (function* () {
        for (let sent = 0; sent < BODY_MEBIBYTES; sent += 1) yield piece;
      })(),
    );
    const headers = { "Content-Length": BODY_MEBIBYTES * 2 ** 20 };
    const large = post(mesh, { path: "/large", body, headers });
    await eventually(() => (mesh.daemonB.seen.length > 0 ? true : undefined));
    for (let turn = 0; turn < 20; turn += 1) expect((await post(mesh)).status).toBe(200);
    expectSmall(mesh.a, mesh.b);
    go();
    expect((await large).body).toBe(String(BODY_MEBIBYTES * 2 ** 20));
    expectSmall(mesh.a, mesh.b);
  });

  it("from the daemon to a slow client is not kept in memory either", async () => {
    const mesh = await pair({
      handle: (request, response) => {
        if (request.url !== "/pour") return false;
        const piece = Buffer.alloc(1 << 20, "x");
        let left = BODY_MEBIBYTES;
        const pour = (): void => {
          while (left > 0) {
            left -= 1;
            if (!response.write(piece)) return void response.once("drain", pour);
          }
          response.end();
        };
        pour();
        return true;
      },
    });
    const socket = net.connect(mesh.toB.port, mesh.toB.host);
    socket.write("GET /pour HTTP/1.1\r\nHost: x\r\n\r\n");
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await post(mesh)).status).toBe(200);
    expectSmall(mesh.a, mesh.b);
    let bytes = 0;
    socket.on("data", (part: Buffer) => (bytes += part.length));
    socket.resume();
    await eventually(() => (bytes > BODY_MEBIBYTES * 2 ** 20 ? true : undefined));
    socket.destroy();
    expectSmall(mesh.a, mesh.b);
  });

  it("that stops moving is given up", async () => {
    const mesh = await pair({ own: { stallSeconds: 1 } });
    const text = await raw(
      mesh.toB.host,
      mesh.toB.port,
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
    );
    expect(text).toBe("");
    expect((await post(mesh)).status).toBe(200);
  });
});

describe("more requests to one node than it is meant to take", () => {
  it("are told to come later", async () => {
    const waiting: (() => void)[] = [];
    const mesh = await pair({
      own: { requestsPerPeer: 2 },
      handle: (request, response) => {
        if (request.url !== "/wait") return false;
        waiting.push(() => void response.end("done"));
        return true;
      },
    });
    const slow = [post(mesh, { path: "/wait" }), post(mesh, { path: "/wait" })];
    await eventually(() => (waiting.length === 2 ? true : undefined));
    expect((await post(mesh)).status).toBe(503);
    for (const release of waiting) release();
    expect((await Promise.all(slow)).map(({ body }) => body)).toEqual(["done", "done"]);
    expect((await post(mesh)).status).toBe(200);
  });
});
