/** A Cloudflare that answers the program's own calls from lists, and keeps a journal of what it changed. */

import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { CloudflareApi, type FoundRecord, type FoundTunnel } from "../../tunnels/api";

export interface FakeCloudflare {
  readonly api: CloudflareApi;
  readonly server: Server;
  tunnels: (FoundTunnel & { token?: string })[];
  records: FoundRecord[];
  zones: { id: string; name: string }[];
  serviceTokens: { id: string; name: string }[];
  policies: { id: string; name: string }[];
  /** Answers every call, where it is set. */
  fault: { status: number; body: unknown; headers?: Record<string, string> } | undefined;
  /** `METHOD path body` of every call that changes something. */
  readonly changes: string[];
  /** Every call. */
  readonly calls: string[];
}

export async function startFakeCloudflare(): Promise<FakeCloudflare> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const fake: FakeCloudflare = {
    api: new CloudflareApi(
      { baseUrl: `http://127.0.0.1:${port}/client/v4`, headers: { Authorization: "Bearer t0ken" } },
      1,
    ),
    server,
    tunnels: [],
    records: [],
    zones: [{ id: "z".repeat(32), name: "example.com" }],
    serviceTokens: [],
    policies: [],
    fault: undefined,
    changes: [],
    calls: [],
  };
  server.on("request", (request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://fake");
      const path = url.pathname.replace("/client/v4/", "");
      const method = request.method ?? "";
      fake.calls.push(`${method} ${path}${url.search}`);
      if (method !== "GET") fake.changes.push(`${method} ${path} ${text}`.trimEnd());
      const send = (status: number, body: unknown, headers = {}) => {
        response.writeHead(status, { "Content-Type": "application/json", ...headers });
        response.end(typeof body === "string" ? body : JSON.stringify(body));
      };
      if (fake.fault) return send(fake.fault.status, fake.fault.body, fake.fault.headers);
      const result = answer(fake, method, path, url.searchParams);
      if (result === undefined)
        return send(404, { success: false, errors: [{ code: 1003, message: "not found" }] });
      send(200, { success: true, errors: [], messages: [], ...result });
    });
  });
  return fake;
}

function answer(fake: FakeCloudflare, method: string, path: string, query: URLSearchParams) {
  const page = <T>(items: readonly T[]) => {
    const size = Number(query.get("per_page"));
    const number = Number(query.get("page"));
    return {
      result: items.slice((number - 1) * size, number * size),
      result_info: { page: number, total_pages: Math.ceil(items.length / size) },
    };
  };
  const [, kind] = /^accounts\/[^/]+\/access\/(service_tokens|policies)$/.exec(path) ?? [];
  if (kind !== undefined) return page(kind === "policies" ? fake.policies : fake.serviceTokens);
  if (method === "DELETE" && path.includes("/access/")) return { result: {} };
  if (path === "zones")
    return { result: fake.zones.filter(({ name }) => name === query.get("name")) };
  if (/^zones\/[^/]+\/dns_records$/.test(path)) return page(fake.records);
  if (/^accounts\/[^/]+\/cfd_tunnel$/.test(path)) return page(fake.tunnels);
  const [, id, below] = /^accounts\/[^/]+\/cfd_tunnel\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  const tunnel = fake.tunnels.find((one) => one.id === id);
  if (method === "DELETE" && below === "/connections") return { result: null };
  if (method === "PATCH") return { result: {} };
  if (!tunnel) return undefined;
  if (below === "/token") return { result: tunnel.token ?? "" };
  return below === undefined ? { result: tunnel } : undefined;
}
