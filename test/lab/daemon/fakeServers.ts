import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import * as path from "node:path";

export interface Recorder {
  readonly port: number;
  /** `METHOD path` of every request so far. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Answers every request as a node named `id` would, and notes it. */
function respond(id: string, requests: string[]): http.RequestListener {
  return (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const self = { node_id: id, host: "192.0.2.9", port: 8770 };
    const body = request.url === "/relay/heartbeat" ? { success: true, self, peers: {} } : self;
    request.resume().on("end", () => response.end(JSON.stringify(body)));
  };
}

function listen(server: net.Server, host: string, requests: string[]): Promise<Recorder> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  return new Promise((resolve) => {
    server.listen(0, host, () => {
      resolve({
        port: (server.address() as net.AddressInfo).port,
        requests,
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

/** A node that only takes notes, over plain HTTP. */
export function recordHttp(id: string, host: string): Promise<Recorder> {
  const requests: string[] = [];
  return listen(http.createServer(respond(id, requests)), host, requests);
}

/** Takes no heartbeats, and lists `peers` to those who ask again. */
export function recordEntry(host: string, peers: Record<string, unknown>): Promise<Recorder> {
  const requests: string[] = [];
  const respondOnce: http.RequestListener = (request, response) => {
    const isAgain = requests.includes("GET /relay/peers");
    requests.push(`${request.method} ${request.url}`);
    const status = request.method !== "GET" ? 421 : isAgain ? 200 : 502;
    const body = status === 200 ? { success: true, peers } : { error: "not here" };
    request.resume().on("end", () => response.writeHead(status).end(JSON.stringify(body)));
  };
  return listen(http.createServer(respondOnce), host, requests);
}

/** `recordHttp` over HTTPS; `certificate` is the file that a client has to trust. */
export async function recordHttps(
  id: string,
  host: string,
  dir: string,
): Promise<Recorder & { certificate: string }> {
  const [key, certificate] = [path.join(dir, "key.pem"), path.join(dir, "certificate.pem")];
  const subject = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=IP:${host}`];
  const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const files = ["-nodes", "-days", "2", "-keyout", key, "-out", certificate];
  execFileSync("openssl", [...request, ...files, ...subject], { stdio: "ignore" });
  const requests: string[] = [];
  const options = { key: fs.readFileSync(key), cert: fs.readFileSync(certificate) };
  const server = https.createServer(options, respond(id, requests));
  return { ...(await listen(server, host, requests)), certificate };
}

/** A SOCKS5 proxy without login that notes the `host:port` it is asked for, and connects there. */
export function recordSocks(host: string): Promise<Recorder> {
  const requests: string[] = [];
  const server = net.createServer((client) => {
    client.once("data", () => {
      client.write(Buffer.from([5, 0]));
      client.once("data", (request: Buffer) => {
        // Only IPv4 targets (address type 1): the tests use no other.
        const target = [...request.subarray(4, 8)].join(".");
        const port = request.readUInt16BE(8);
        requests.push(`${target}:${port}`);
        const upstream = net.connect(port, target, () => {
          client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
          client.pipe(upstream).pipe(client);
        });
        upstream.on("error", () => client.destroy());
        client.on("error", () => upstream.destroy());
      });
    });
  });
  return listen(server, host, requests);
}
