import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { readFileSync } from "node:fs";
import { certificateFiles } from "../../../lab/cloudflare/certificates";
import { until } from "../../../lab/fleet/until";
import { ACCOUNT, Loopback, RECORDS } from "./loopback";

let lab: Loopback;

beforeAll(async () => {
  lab = await Loopback.start();
});

afterAll(async () => {
  await lab.close();
});

/** An origin that answers with its own name, and a connector for it. */
async function node(name: string): Promise<{ id: string; token: string }> {
  const { port } = await lab.origin((request, response) => {
    request.resume();
    response.end(name);
  });
  const made = await lab.tunnel(name, port);
  await (await lab.connector(made.token)).ready();
  return made;
}

describe("the edge", () => {
  it("answers a name from its own tunnel, with what an origin is told of the visitor", async () => {
    const origin = await lab.origin((request, response) => {
      response.setHeader("x-origin", "n1");
      response.end(JSON.stringify([request.method, request.url, request.headers]));
    });
    const { token } = await lab.tunnel("n1", origin.port);
    expect((await lab.get("n1")).status).toBe(530);
    const connector = await lab.connector(token);
    await connector.ready();
    const headers = { "x-forwarded-for": "192.0.2.9", "cf-connecting-ip": "192.0.2.9", x: "1" };
    const { status, body, headers: said } = await lab.get("n1", "/health?x=1", { headers });
    expect([status, said["x-origin"], said["server"]]).toEqual([200, "n1", "cloudflare"]);
    expect(JSON.parse(body)).toEqual([
      "GET",
      "/health?x=1",
      {
        host: "n1.fleet.example",
        x: "1",
        connection: "keep-alive",
        "x-forwarded-for": "192.0.2.9,127.0.0.1",
        "x-forwarded-proto": "https",
        "cf-connecting-ip": "127.0.0.1",
        "cf-ray": said["cf-ray"],
        "cf-visitor": '{"scheme":"https"}',
        "cdn-loop": "cloudflare; loops=1",
      },
    ]);
    expect(await connector.stop()).toBe(0);
    expect(await lab.get("n1")).toMatchObject({ status: 530, body: "error code: 1033\n" });
  });

  it("answers each of many requests from the node that has the name", async () => {
    await Promise.all(["a1", "a2"].map(node));
    const names = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? "a1" : "a2"));
    const answers = await Promise.all(names.map((name) => lab.get(name)));
    expect(answers.map(({ body }) => body)).toEqual(names);
  });

  it("asks any replica, and another one when one is gone", async () => {
    const seen = new Set<string>();
    const { port } = await lab.origin((_, response) => response.end("entry"));
    const { id, token } = await lab.tunnel("p2p", port);
    const replicas = await Promise.all([lab.connector(token), lab.connector(token)]);
    await Promise.all(replicas.map((replica) => replica.ready()));
    const clients = await lab.api("GET", `${ACCOUNT}/cfd_tunnel/${id}/connections`);
    expect(clients.body.result).toHaveLength(2);
    await Promise.all(Array.from({ length: 40 }, () => lab.get("p2p")));
    for (const replica of replicas) {
      const { body } = await replica.metrics("/metrics");
      const total = /^cloudflared_tunnel_total_requests (\d+)$/m.exec(body)?.[1];
      seen.add(Number(total) > 0 ? "some" : "none");
    }
    expect([...seen]).toEqual(["some"]);
    await replicas[0]?.kill();
    const after = await Promise.all(Array.from({ length: 20 }, () => lab.get("p2p")));
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it("streams both ways without waiting for the end of either", async () => {
    const { port } = await lab.origin((request, response) => {
      response.writeHead(200);
      request.pipe(response);
    });
    const { token } = await lab.tunnel("echo", port);
    await (await lab.connector(token)).ready();
    const hash = createHash("sha256");
    const pieces = Array.from({ length: 64 }, () => randomBytes(64 * 1024));
    const answer = await new Promise<string>((resolve, reject) => {
      let received = 0;
      const request = lab.open("echo", "/", { method: "POST" }, (response) => {
        response.on("data", (chunk: Buffer) => {
          hash.update(chunk);
          received += chunk.length;
          // Each piece is sent only when the one before has come back: nothing is gathered on the way.
          if (received % (64 * 1024) === 0) next();
        });
        response.on("end", () => resolve(hash.digest("hex")));
      });
      const next = (): void => {
        const piece = pieces[sent++];
        if (piece === undefined) request.end();
        else request.write(piece);
      };
      let sent = 0;
      request.on("error", reject);
      next();
    });
    expect(answer).toBe(createHash("sha256").update(Buffer.concat(pieces)).digest("hex"));
  });

  it("holds a fast sender back when the origin does not read", async () => {
    let wake: () => void = () => undefined;
    const { port } = await lab.origin((request, response) => {
      wake = (): void => void request.resume().on("end", () => response.end("done"));
    });
    const { token } = await lab.tunnel("slow", port);
    await (await lab.connector(token)).ready();
    let answer = "";
    const request = lab.open("slow", "/", { method: "PUT" }, (response) =>
      response.on("data", (chunk: Buffer) => (answer += chunk.toString())),
    );
    const piece = Buffer.alloc(1024 * 1024);
    let [written, isFull] = [0, false];
    while (written < 256 && !isFull) {
      written += 1;
      if (!request.write(piece)) {
        isFull = !(await Promise.race([
          once(request, "drain").then(() => true),
          new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 3_000)),
        ]));
      }
    }
    // What fits into the buffers on the way is a few MiB, not the 256 that could have been sent.
    expect(isFull).toBe(true);
    wake();
    request.end();
    await until(() => answer !== "", 60_000);
    expect(answer).toBe("done");
  });

  it("keeps the visitor's connection, over answers of its own too", async () => {
    const socket = tlsConnect({
      host: "127.0.0.1",
      port: lab.stand.ports.edge,
      servername: "fleet.example",
      ca: readFileSync(certificateFiles(lab.folder).ca.cert),
    });
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    for (let round = 0; round < 2; round++) {
      text = "";
      const body = "x".repeat(10);
      socket.write(
        `POST / HTTP/1.1\r\nHost: no.fleet.example\r\nContent-Length: 10\r\n\r\n${body}`,
      );
      await until(() => text.endsWith("1001\n"), 60_000);
      expect(text).toMatch(/^HTTP\/1\.1 404 /);
    }
    socket.destroy();
  });

  it("carries a WebSocket's bytes", async () => {
    const { port, server } = await lab.origin((_, response) => response.end());
    server.on("upgrade", (_, socket: Socket) => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
      );
      socket.pipe(socket);
    });
    const { token } = await lab.tunnel("ws", port);
    await (await lab.connector(token)).ready();
    const headers = { connection: "Upgrade", upgrade: "echo" };
    const request = lab.open("ws", "/", { headers }, () => undefined).end();
    const [response, socket] = (await once(request, "upgrade")) as [{ statusCode: number }, Socket];
    socket.write("hello");
    const [chunk] = (await once(socket, "data")) as [Buffer];
    expect([response.statusCode, chunk.toString()]).toEqual([101, "hello"]);
    socket.destroy();
  });

  it("does not shake hands for a name two levels deep", async () => {
    const open = (servername: string): Promise<string> =>
      new Promise((resolve) => {
        const { edge: port } = lab.stand.ports;
        const ca = readFileSync(certificateFiles(lab.folder).ca.cert);
        const socket = tlsConnect({ host: "127.0.0.1", port, servername, ca });
        const done = (text: string): void => {
          socket.destroy();
          resolve(text);
        };
        socket.on("secureConnect", () => done("open")).on("error", () => done("refused"));
      });
    expect(await open("a.fleet.example")).toBe("open");
    expect(await open("a.b.fleet.example")).toBe("refused");
    expect(await open("other.example")).toBe("refused");
  });

  it("tells apart no name, no tunnel and no connector", async () => {
    const content = "00000000-0000-4000-8000-000000000000.cfargotunnel.com";
    const record = { name: "lost", type: "CNAME", content, proxied: true, ttl: 1 };
    await lab.api("POST", RECORDS, record);
    expect(await lab.get("nobody")).toMatchObject({ status: 404, body: "error code: 1001\n" });
    expect(await lab.get("lost")).toMatchObject({ status: 530, body: "error code: 1016\n" });
    await lab.tunnel("idle", 1);
    expect(await lab.get("idle")).toMatchObject({ status: 530, body: "error code: 1033\n" });
  });

  it("takes connectors only while it is told to", async () => {
    await node("cut");
    expect((await lab.get("cut")).body).toBe("cut");
    await lab.admin("POST", "/edge", { connectors: false });
    expect((await lab.get("cut")).status).toBe(530);
    await lab.admin("POST", "/edge", { connectors: true });
    await until(async () => (await lab.get("cut")).status === 200, 60_000, 200);
    expect((await lab.get("cut")).body).toBe("cut");
  });
});
