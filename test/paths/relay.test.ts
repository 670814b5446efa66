import { createHash, randomBytes } from "node:crypto";
import * as http from "node:http";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { ask, cleanUp, pair, type Pair, raw } from "./forwarders";

let mesh: Pair;
const get = (path: string, more: Parameters<typeof ask>[2] = {}) =>
  ask(mesh.toB.host, mesh.toB.port, { path, ...more });
const speak = (text: string, enough?: RegExp) => raw(mesh.toB.host, mesh.toB.port, text, enough);

/** Answers of every kind that HTTP/1.1 knows. */
function handle(request: http.IncomingMessage, response: http.ServerResponse): boolean {
  switch (String(request.url).replace(/[?].*/, "")) {
    case "/gzip":
      response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync("zipped"));
      return true;
    case "/chunks":
      response.write("one");
      setTimeout(() => response.end("two"), 20);
      return true;
    case "/nothing":
      response.writeHead(204).end();
      return true;
    case "/until-end":
      request.socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end");
      return true;
    case "/breaks":
      request.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
      setTimeout(() => request.socket.destroy(), 20);
      return true;
    case "/echo":
      response.writeHead(200, { "X-P2P-Answer": "forged", Connection: "X-Hop", "X-Hop": "1" });
      request.pipe(response);
      return true;
    case "/digest": {
      const hash = createHash("sha256");
      request.on("data", (part: Buffer) => hash.update(part));
      request.on("end", () => response.end(hash.digest("hex")));
      return true;
    }
    case "/large-head":
      response.writeHead(200, { "X-Large": "x".repeat(15_000) }).end("large");
      return true;
    case "/early":
      response.writeHead(413).end("too much");
      return true;
    default:
      return false;
  }
}

beforeAll(async () => {
  mesh = await pair({ handle });
});
afterAll(cleanUp);
beforeEach(() => mesh.daemonB.seen.splice(0));

describe("a request to a node's loopback address", () => {
  it("reaches that node's daemon, from the sender's loopback address", async () => {
    const answer = await get("/hello?x=1");
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      ...{ method: "GET", url: "/hello?x=1", from: mesh.fromA, length: 0 },
    });
    expect(mesh.daemonA.seen).toEqual([]);
  });

  it("shows the daemon nothing of the way, and believes nobody about the sender", async () => {
    const headers = {
      ...{
        "X-Forwarded-For": "192.0.2.1",
        "X-Real-IP": "192.0.2.1",
        "CF-Connecting-IP": "192.0.2.1",
      },
      ...{ Forwarded: "for=192.0.2.1", "X-P2P-Identity": "forged", Authorization: "Bearer kept" },
    };
    await get("/", { headers });
    const seen = mesh.daemonB.seen[0]?.headers ?? {};
    const { host, ...rest } = { ...seen, connection: undefined };
    expect(host).toBe(`127.0.0.1:${mesh.daemonB.port}`);
    expect(rest).toEqual({ authorization: "Bearer kept", connection: undefined });
  });

  it("carries bodies both ways as they are", async () => {
    const gzip = await get("/gzip");
    expect(gzip.headers["content-encoding"]).toBe("gzip");
    expect(Buffer.from(gzip.body, "latin1")).toEqual(gzipSync("zipped"));
    const zipped = gzipSync("to the daemon");
    const echo = await get("/echo", {
      method: "POST",
      body: zipped,
      headers: { "Content-Encoding": "gzip" },
    });
    expect(Buffer.from(echo.body, "latin1")).toEqual(zipped);
    expect(echo.headers["x-p2p-answer"]).toBeUndefined();
    expect(echo.headers["x-hop"]).toBeUndefined();
    expect((await get("/chunks")).body).toBe("onetwo");
    const body = Readable.from(["a", "bc", "def".repeat(10_000)]);
    const chunked = await get("/echo", { method: "PUT", body });
    expect(chunked.body).toBe(`abc${"def".repeat(10_000)}`);
  });

  it("carries eight mebibytes without a flaw, in length and in chunks", async () => {
    const body = randomBytes(8 << 20);
    const digest = createHash("sha256").update(body).digest("hex");
    expect((await get("/digest", { method: "POST", body })).body).toBe(digest);
    const pieces = Readable.from(
      [...Array(128).keys()].map((index) => body.subarray(index << 16, (index + 1) << 16)),
    );
    expect((await get("/digest", { method: "POST", body: pieces })).body).toBe(digest);
  });

  it("knows answers without a body, and those that end with the connection", async () => {
    expect(await get("/nothing")).toMatchObject({ status: 204, body: "" });
    const head = await get("/gzip", { method: "HEAD" });
    expect([head.status, head.body]).toEqual([200, ""]);
    expect(await get("/until-end")).toMatchObject({ status: 200, body: "to the end" });
  });

  it("breaks off where the answer breaks off", async () => {
    await expect(get("/breaks")).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  it("is answered before its body was read, where the daemon wants no more of it", async () => {
    const answer = await get("/early", { method: "POST", body: Buffer.alloc(4 << 20) });
    expect(answer).toMatchObject({ status: 413, body: "too much" });
  });
});

describe("a head that the next forwarder would refuse", () => {
  it("is refused at once, and the path is not blamed for it", async () => {
    const large = `GET / HTTP/1.1\r\nHost: x\r\nA: ${"b".repeat(16_200)}\r\n\r\n`;
    const many = `GET / HTTP/1.1\r\nHost: x\r\n${"A: b\r\n".repeat(100)}\r\n`;
    const too = /^HTTP\/1\.1 431 [^]*"the head is too large to be sent on"/;
    for (const text of [large, many, large]) expect(await speak(text)).toMatch(too);
    expect(mesh.daemonB.seen).toEqual([]);
    for (const path of ["/large-head", "/large-head?2", "/large-head?3"]) {
      const answer = await get(path);
      expect([answer.status, JSON.parse(answer.body).error]).toEqual([
        502,
        "the daemon: the head of its answer is too large to be sent on",
      ]);
    }
    const fits = `GET /fits HTTP/1.1\r\nHost: x\r\nConnection: close\r\nA: ${"b".repeat(14_200)}\r\n\r\n`;
    expect(await speak(fits)).toMatch(/^HTTP\/1\.1 200 OK/);
    const blamed = (await mesh.a.events()).filter(({ reason }) => reason.includes("431"));
    expect(blamed).toEqual([]);
  });
});

describe("a connection", () => {
  it("serves many requests, also when they come at once", async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ["/1", "/2", "/3"]) expect((await get(path, { agent })).status).toBe(200);
    agent.destroy();
    const requests = ["/4", "/5", "/6"].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const text = await speak(requests.join(""), /"\/6".*\}/);
    expect([...text.matchAll(/"url":"(.*?)"/g)].map(([, url]) => url)).toEqual(["/4", "/5", "/6"]);
    expect(mesh.daemonB.seen.map(({ url }) => url)).toEqual(["/1", "/2", "/3", "/4", "/5", "/6"]);
  });

  it("waits with the body for the daemon's word, where the client asks for that", async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { Expect: "100-continue", "Content-Length": 5 };
      const request = http.request({ ...mesh.toB, method: "POST", path: "/echo", headers });
      request.on("continue", () => request.end("hello"));
      request.on("response", (response) => {
        response.setEncoding("utf8").on("data", resolve);
      });
      request.on("error", reject);
      request.flushHeaders();
    });
    expect(answer).toBe("hello");
  });

  it("ends after an HTTP/1.0 request, and after the client's half of it", async () => {
    expect(await speak("GET /old HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 OK[^]*"url":"\/old"/);
  });

  it.each([
    ["garbage", "\x16\x03\x01 no HTTP at all\r\n\r\n", 400],
    ["two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400],
    [
      "length and chunks",
      "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    [
      "a bad chunk",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
      400,
    ],
    ["a large head", `GET / HTTP/1.1\r\nA: ${"b".repeat(40_000)}\r\n\r\n`, 431],
    ["a proxy's request", "GET http://192.0.2.1/ HTTP/1.1\r\n\r\n", 405],
    ["an upgrade of the protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ])("with %s is told so and ended", async (_, text, status) => {
    expect(await speak(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(mesh.daemonB.seen.filter(({ method }) => method === "GET")).toEqual([]);
  });
});
