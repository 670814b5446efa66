/** The lab's Cloudflare on loopback, and what talks to it, for tests within one machine. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import { type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certificateFiles, makeCertificates } from "../../../lab/cloudflare/certificates";
import { LAB_ACCOUNT_ID, LAB_ZONE, LAB_ZONE_ID } from "../../../lab/cloudflare/names";
import { type Stand, startStand } from "../../../lab/cloudflare/stand";
import { run } from "../../../lab/fleet/run";
import { until } from "../../../lab/fleet/until";

export const API_TOKEN = "lab-token-0123456789-0123456789-0123456789";
export const ACCOUNT = `/accounts/${LAB_ACCOUNT_ID}`;
export const RECORDS = `/zones/${LAB_ZONE_ID}/dns_records`;

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Json = Record<string, unknown>;

export interface ApiReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json & { result: Json; errors: { code: number; message: string }[] };
}

/** A stand-in with its own certificates, connectors and origins; `close` ends all of it. */
export class Loopback {
  private readonly ends: (() => Promise<void> | void)[] = [];
  private readonly agent: Agent;

  private constructor(
    readonly folder: string,
    readonly stand: Stand,
  ) {
    const ca = readFileSync(certificateFiles(folder).ca.cert);
    this.agent = new Agent({ ca, keepAlive: true });
  }

  static async start(): Promise<Loopback> {
    const folder = mkdtempSync(join(tmpdir(), "cloudflare-"));
    await makeCertificates(folder, LAB_ZONE);
    const ports = { api: 0, connectors: 0, dns: 0, edge: 0 };
    const stand = await startStand({ address: "127.0.0.1", folder, apiToken: API_TOKEN, ports });
    return new Loopback(folder, stand);
  }

  async close(): Promise<void> {
    for (const end of this.ends.reverse()) await end();
    this.agent.destroy();
    await this.stand.close();
    rmSync(this.folder, { recursive: true });
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.stand.ports.api}/client/v4`;
  }

  /** Asks the API. */
  async api(method: string, path: string, body?: unknown, token = API_TOKEN): Promise<ApiReply> {
    const response = await fetch(this.apiUrl + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const parsed = (await response.json()) as ApiReply["body"];
    return { status: response.status, headers: response.headers, body: parsed };
  }

  /** Asks what steers the stand-in. */
  async admin(method: string, path: string, body?: unknown): Promise<Json> {
    const url = `http://127.0.0.1:${this.stand.ports.api}/lab${path}`;
    const init = { method, body: body === undefined ? undefined : JSON.stringify(body) };
    return (await (await fetch(url, init)).json()) as Json;
  }

  /** Makes a tunnel with a name of the zone, and everything on it goes to a port; the token is returned. */
  async tunnel(
    host: string,
    port: number,
    more: Json = {},
  ): Promise<{ id: string; token: string }> {
    const made = await this.api("POST", `${ACCOUNT}/cfd_tunnel`, {
      name: host,
      config_src: "cloudflare",
    });
    const id = String(made.body.result["id"]);
    const hostname = `${host}.${LAB_ZONE}`;
    const ingress = [
      { hostname, service: `http://127.0.0.1:${port}`, ...more },
      { service: "http_status:404" },
    ];
    await this.api("PUT", `${ACCOUNT}/cfd_tunnel/${id}/configurations`, { config: { ingress } });
    const record = { type: "CNAME", content: `${id}.cfargotunnel.com`, proxied: true, ttl: 1 };
    await this.api("POST", RECORDS, { name: hostname, ...record });
    const token = await this.api("GET", `${ACCOUNT}/cfd_tunnel/${id}/token`);
    return { id, token: String(token.body.result) };
  }

  /** An HTTP server behind a connector; its port is returned. */
  async origin(listener: RequestListener): Promise<{ port: number; server: Server }> {
    const server = createServer(listener);
    const sockets = new Set<Socket>();
    server.on("connection", (socket: Socket) => sockets.add(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.ends.push(() => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, server };
  }

  /** Builds the connector, as the lab's mirror has it. */
  async connectorFile(version = "2026.8.2"): Promise<string> {
    const file = join(this.folder, `cloudflared-${version}`);
    const build = join(__dirname, "../../../lab/cloudflare/connector/build.py");
    await run(["python3", build, file, version, "amd64"]);
    return file;
  }

  /** Starts a connector; it is ended with everything else. */
  connector(token: string, ...options: string[]): Promise<RunningConnector> {
    return this.connectorTo(this.stand.ports.connectors, token, ...options);
  }

  /** The same, for an edge at another port of this machine. */
  async connectorTo(port: number, token: string, ...options: string[]): Promise<RunningConnector> {
    const file = await this.connectorFile();
    const flags = ["--edge", `127.0.0.1:${port}`, "--no-autoupdate"];
    const words = ["tunnel", ...flags, "--metrics", "127.0.0.1:0", "run", ...options];
    const env = {
      ...process.env,
      TUNNEL_TOKEN: token,
      SSL_CERT_FILE: certificateFiles(this.folder).ca.cert,
    };
    const connector = new RunningConnector(spawn(file, words, { env, stdio: "pipe" }));
    this.ends.push(() => connector.kill());
    return connector;
  }

  /** Asks the edge for a host of the zone. */
  get(host: string, path = "/", options: RequestOptions = {}, body?: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const request = this.open(host, path, options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      request.on("error", reject).end(body);
    });
  }

  /** Begins a request to the edge. */
  open(
    host: string,
    path: string,
    options: RequestOptions,
    onResponse: (response: IncomingMessage) => void,
  ): ReturnType<typeof httpsRequest> {
    const servername = host.includes(".") ? host : `${host}.${LAB_ZONE}`;
    return httpsRequest(
      {
        host: "127.0.0.1",
        port: this.stand.ports.edge,
        servername,
        path,
        agent: this.agent,
        ...options,
        headers: { host: servername, ...(options.headers as object | undefined) },
      },
      onResponse,
    );
  }
}

/** A connector's process. */
export class RunningConnector {
  stderr = "";

  constructor(readonly process: ChildProcess) {
    process.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  /** Waits until it has written something. @throws Error with what it wrote instead */
  async said(text: RegExp | string, milliseconds = 60_000): Promise<void> {
    const isThere = (): boolean => this.stderr.search(text) >= 0;
    if (await until(isThere, milliseconds)) return;
    throw new Error(`the connector did not say ${String(text)}:\n${this.stderr}`);
  }

  async ready(): Promise<void> {
    await this.said(/Registered tunnel connection/);
    await this.said(/Updated to new configuration/);
  }

  /** What its metrics listener answers. */
  async metrics(path: string): Promise<{ status: number; body: string }> {
    await this.said(/Starting metrics server/);
    const address = /Starting metrics server on (\S+)\/metrics/.exec(this.stderr)?.[1];
    const response = await fetch(`http://${address}${path}`);
    return { status: response.status, body: await response.text() };
  }

  /** Sends a signal, and resolves with the exit code (null: killed) once it has ended. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) {
      return this.process.exitCode;
    }
    const ended = once(this.process, "exit");
    this.process.kill(signal);
    const [code] = (await ended) as [number | null];
    return code;
  }

  async kill(): Promise<void> {
    await this.stop("SIGKILL");
  }
}
