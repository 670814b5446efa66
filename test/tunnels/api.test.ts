import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { CloudflareApi, CloudflareError } from "../../tunnels/api";

/** Answers with the texts in turn, the last one for ever. */
async function serve(...answers: { status: number; body: unknown }[]) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    response.writeHead(answer?.status ?? 500);
    response.end(JSON.stringify(answer?.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4/`;
  const api = new CloudflareApi({ baseUrl, headers: { Authorization: "Bearer t0ken" } }, 1);
  const close = () => new Promise((resolve) => server.close(resolve));
  return { api, requests, close };
}

const ok = (result: unknown, more = {}) => ({
  status: 200,
  body: { success: true, result, ...more },
});
const no = (status: number, code: number, message: string) => ({
  status,
  body: { success: false, errors: [{ code, message }] },
});

/** What a call ended with. */
async function errorOf(call: Promise<unknown>): Promise<CloudflareError> {
  return call.then(
    () => new CloudflareError("no error", -1),
    (error: CloudflareError) => error,
  );
}

describe("CloudflareApi", () => {
  it("reads a list to its last page", async () => {
    const { api, requests, close } = await serve(
      ok([{ id: "1" }], { result_info: { total_pages: 2 } }),
      ok([{ id: "2" }], { result_info: { total_pages: 2 } }),
    );
    expect(await api.records("z1")).toEqual([{ id: "1" }, { id: "2" }]);
    expect(requests).toEqual([
      "GET /client/v4/zones/z1/dns_records?page=1&per_page=100 Bearer t0ken",
      "GET /client/v4/zones/z1/dns_records?page=2&per_page=100 Bearer t0ken",
    ]);
    await close();
  });

  it("tries again what passes", async () => {
    const { api, requests, close } = await serve(no(503, 1, "busy"), no(429, 971, "slow"), ok([]));
    expect(await api.tunnels("a1")).toEqual([]);
    expect(requests).toHaveLength(3);
    await close();
  });

  it("gives up after three", async () => {
    const { api, requests, close } = await serve(no(503, 1, "busy"));
    const error = await errorOf(api.tunnels("a1"));
    expect([error.status, error.message, requests.length]).toEqual([
      503,
      "Cloudflare's API fails at accounts/a1/cfd_tunnel (503: busy (code 1)): run again later",
      3,
    ]);
    await close();
  });

  it("does not repeat what is refused", async () => {
    const { api, requests, close } = await serve(no(403, 10000, "Authentication error"));
    const error = await errorOf(api.tunnel("a1", "t1"));
    expect([error.message, requests.length]).toEqual([
      "the API token may not use accounts/a1/cfd_tunnel/t1 (403: Authentication error (code 10000)): it needs Account: Cloudflare Tunnel Edit, Access: Apps and Policies Edit, Access: Service Tokens Edit; Zone: DNS Edit, Zone Read",
      1,
    ]);
    await close();
  });

  it("takes only the zone of that very name", async () => {
    const { api, close } = await serve(ok([{ id: "1", name: "sub.example.com" }]), ok([]));
    expect(await api.zoneId("example.com")).toBeUndefined();
    expect(await api.zoneId("example.com")).toBeUndefined();
    await close();
  });

  it("says that nothing answers, without the token", async () => {
    const { api, close } = await serve(ok([]));
    await close();
    expect((await errorOf(api.tunnels("a1"))).message).toBe(
      "Cloudflare's API cannot be reached (ECONNREFUSED)",
    );
  });
});
