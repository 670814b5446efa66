import { LAB_ACCOUNT_ID, LAB_ZONE_ID } from "../../../lab/cloudflare/names";
import { type ApiReply, ACCOUNT, Loopback, RECORDS } from "./loopback";

let lab: Loopback;

beforeAll(async () => {
  lab = await Loopback.start();
});

afterAll(async () => {
  await lab.close();
});

beforeEach(async () => {
  for (const path of ["/faults", "/limits", "/requests"]) await lab.admin("DELETE", path);
  const { account } = lab.stand;
  for (const map of [
    ...[account.tunnels, account.records, account.applications],
    ...[account.policies, account.serviceTokens],
  ]) {
    map.clear();
  }
});

const TUNNELS = `${ACCOUNT}/cfd_tunnel`;
const codes = ({ status, body }: ApiReply): unknown[] => [status, body.errors.map((e) => e.code)];
const make = async (path: string, body: object): Promise<Record<string, unknown>> => {
  const reply = await lab.api("POST", path, body);
  expect(codes(reply)).toEqual([200, []]);
  return reply.body.result;
};

describe("who may ask", () => {
  it.each([
    ["nobody", undefined, [400, [9106]]],
    ["a malformed header", "Bearer x", [400, [6003]]],
    ["an unknown token", `Bearer ${"x".repeat(40)}`, [401, [10000]]],
  ])("%s", async (_, authorization, expected) => {
    const headers = authorization === undefined ? undefined : { authorization };
    const response = await fetch(`${lab.apiUrl}/zones`, { headers });
    const body = (await response.json()) as ApiReply["body"];
    expect(body).toMatchObject({ success: false, messages: [], result: null });
    expect([response.status, body.errors.map(({ code }) => code)]).toEqual(expected);
  });

  it("a token that may less, and an account and a zone of somebody else's", async () => {
    const { value } = await lab.admin("POST", "/tokens", { permissions: ["tunnel:read"] });
    const token = String(value);
    expect(codes(await lab.api("GET", TUNNELS, undefined, token))).toEqual([200, []]);
    expect(codes(await lab.api("POST", TUNNELS, { name: "a" }, token))).toEqual([403, [10000]]);
    expect(codes(await lab.api("GET", RECORDS, undefined, token))).toEqual([403, [10000]]);
    const other = "f".repeat(32);
    expect(codes(await lab.api("GET", `/accounts/${other}/cfd_tunnel`))).toEqual([403, [10000]]);
    expect(codes(await lab.api("GET", `/zones/${other}`))).toEqual([403, [9109]]);
  });

  it("and for what", async () => {
    expect(codes(await lab.api("GET", "/nothing"))).toEqual([404, [7003, 7000]]);
    expect(codes(await lab.api("DELETE", "/zones"))).toEqual([405, [10405]]);
    expect((await lab.api("GET", "/user/tokens/verify")).body.result["status"]).toBe("active");
  });
});

describe("lists", () => {
  it("come in pages", async () => {
    for (const name of ["a", "b", "c"]) await make(TUNNELS, { name });
    const reply = await lab.api("GET", `${TUNNELS}?page=2&per_page=2`);
    expect(reply.body["result_info"]).toEqual({
      ...{ page: 2, per_page: 2, count: 1, total_count: 3, total_pages: 2 },
    });
    expect(reply.body.result).toMatchObject([{ name: "c" }]);
  });

  it("are narrowed by name, and deleted tunnels stay to be seen", async () => {
    const { id } = await make(TUNNELS, { name: "a" });
    await make(TUNNELS, { name: "b" });
    await lab.api("DELETE", `${TUNNELS}/${String(id)}`);
    await make(TUNNELS, { name: "a" });
    const count = async (query: string): Promise<number> =>
      ((await lab.api("GET", TUNNELS + query)).body.result as unknown as unknown[]).length;
    expect([
      await count("?name=a"),
      await count("?name=a&is_deleted=false"),
      await count("?is_deleted=true"),
      await count("?name=none"),
    ]).toEqual([2, 1, 1, 0]);
    const seen = await lab.api("GET", `${TUNNELS}/${String(id)}`);
    expect([seen.status, typeof seen.body.result["deleted_at"]]).toEqual([200, "string"]);
    expect(codes(await lab.api("PATCH", `${TUNNELS}/${String(id)}`, {}))).toEqual([404, [1003]]);
  });

  it("of zones find a zone by name and account", async () => {
    const names = async (query: string): Promise<unknown[]> => {
      const found = (await lab.api("GET", `/zones?${query}`)).body.result;
      return (found as unknown as { name: string }[]).map(({ name }) => name);
    };
    expect(await names("name=fleet.example")).toEqual(["fleet.example"]);
    expect(await names(`name=fleet.example&account.id=${LAB_ACCOUNT_ID}`)).toHaveLength(1);
    expect(await names("name=fleet.example&account.id=other")).toEqual([]);
    expect(await names("name=other.example")).toEqual([]);
  });
});

describe("a tunnel's configuration", () => {
  it("is given back as it came, one version higher each time", async () => {
    const { id } = await make(TUNNELS, { name: "a", config_src: "cloudflare" });
    const path = `${TUNNELS}/${String(id)}/configurations`;
    expect((await lab.api("GET", path)).body.result).toMatchObject({ version: 0, config: null });
    const config = {
      ingress: [
        {
          hostname: "a.fleet.example",
          service: "http://localhost:1",
          originRequest: { noTLSVerify: true, unknown: 1 },
        },
        { service: "http_status:404" },
      ],
    };
    const put = (await lab.api("PUT", path, { config })).body.result;
    expect(put).toMatchObject({ version: 1, config, source: "cloudflare", tunnel_id: id });
    expect((await lab.api("PUT", path, { config })).body.result["version"]).toBe(2);
  });

  it.each([
    [[{ hostname: "a.example", service: "http://localhost:1" }], "The last ingress rule must"],
    [[{ service: "http_status:404" }, { service: "http_status:404" }], "Rule #1 is matching"],
    [[{ service: "http://localhost:1/path" }], "ingress rules don't support proxying to"],
    [[{ service: "localhost" }], "please make sure it has a scheme and a hostname"],
    [[{ service: "http_status:9999" }], "invalid HTTP status code: 9999"],
    [[{ path: "(", service: "http://a:1" }, { service: "http_status:404" }], "Rule #1 has an"],
    [[{ hostname: "a:1", service: "http://a:1" }, { service: "http_status:404" }], "a port"],
    [[{ hostname: "a.*", service: "http://a:1" }, { service: "http_status:404" }], "wildcard"],
  ])("%j is refused", async (ingress, words) => {
    const { id } = await make(TUNNELS, { name: "a", config_src: "cloudflare" });
    const path = `${TUNNELS}/${String(id)}/configurations`;
    const reply = await lab.api("PUT", path, { config: { ingress } });
    expect(codes(reply)).toEqual([400, [1056]]);
    expect(reply.body.errors[0]?.message).toContain(words);
  });
});

describe("DNS records", () => {
  const tunnel = { type: "CNAME", content: "x.cfargotunnel.com", proxied: true };

  it("are completed to full names, and a proxied one's time to live is Cloudflare's", async () => {
    expect(await make(RECORDS, { ...tunnel, name: "N1", ttl: 300 })).toMatchObject({
      ...{ name: "n1.fleet.example", ttl: 1, proxied: true, proxiable: true },
    });
    expect(await make(RECORDS, { type: "TXT", name: "@", content: "x", ttl: 60 })).toMatchObject({
      ...{ name: "fleet.example", ttl: 60, proxiable: false },
    });
  });

  it.each<[object, object, number]>([
    [{ ...tunnel, name: "a" }, { ...tunnel, name: "a.fleet.example" }, 81058],
    [{ ...tunnel, name: "a" }, { ...tunnel, name: "a", content: "y.example" }, 81053],
    [{ ...tunnel, name: "a" }, { type: "A", name: "a", content: "192.0.2.1" }, 81054],
    [{ type: "A", name: "a", content: "192.0.2.1" }, { ...tunnel, name: "a" }, 81053],
  ])("beside %j, %j is refused with %i", async (there, wanted, code) => {
    await make(RECORDS, there);
    expect(codes(await lab.api("POST", RECORDS, wanted))).toEqual([400, [code]]);
    expect((await lab.api("GET", RECORDS)).body.result).toHaveLength(1);
  });

  it.each<[object, number]>([
    [{ name: "a" }, 1004],
    [{ ...tunnel, name: "a b" }, 9000],
    [{ type: "A", name: "a", content: "x" }, 9005],
    [{ ...tunnel, name: "a", content: "a b" }, 9007],
    [{ type: "TXT", name: "a", content: "x", proxied: true }, 9004],
    [{ type: "A", name: "a", content: "192.0.2.1", ttl: 59 }, 9021],
    [{ type: "A", name: "a", content: "192.0.2.1", ttl: 86_401 }, 9021],
  ])("%j is refused with %i", async (wanted, code) => {
    expect(codes(await lab.api("POST", RECORDS, wanted))).toEqual([400, [code]]);
  });

  it("are replaced by PUT and changed by PATCH", async () => {
    const { id } = await make(RECORDS, { ...tunnel, name: "a", comment: "ours" });
    const path = `${RECORDS}/${String(id)}`;
    const patched = await lab.api("PATCH", path, { content: "y.cfargotunnel.com" });
    expect(patched.body.result).toMatchObject({ comment: "ours", content: "y.cfargotunnel.com" });
    const put = await lab.api("PUT", path, { ...tunnel, name: "a" });
    expect(put.body.result).toMatchObject({ comment: null, content: "x.cfargotunnel.com" });
    expect((await lab.api("DELETE", path)).body.result).toEqual({ id });
    expect(codes(await lab.api("GET", path))).toEqual([404, [81044]]);
  });
});

describe("limits", () => {
  it.each<[string, string, object, object, number[]]>([
    ["tunnels", TUNNELS, { name: "a" }, { name: "b" }, [403, 1014]],
    [
      "records",
      RECORDS,
      { type: "TXT", name: "a", content: "1" },
      { type: "TXT", name: "b", content: "1" },
      [400, 81045],
    ],
    [
      "serviceTokens",
      `${ACCOUNT}/access/service_tokens`,
      { name: "a" },
      { name: "b" },
      [400, 12130],
    ],
  ])("on %s", async (kind, path, first, second, [status, code]) => {
    await lab.admin("POST", "/limits", { [kind]: 1 });
    await make(path, first);
    expect(codes(await lab.api("POST", path, second))).toEqual([status, [code]]);
  });

  it("on requests, with the time to wait", async () => {
    await lab.admin("POST", "/limits", { requests: 2 });
    for (let n = 0; n < 2; n++) expect((await lab.api("GET", "/zones")).status).toBe(200);
    const reply = await lab.api("GET", "/zones");
    expect([codes(reply), reply.headers.get("retry-after")]).toEqual([[429, [971]], "300"]);
    await lab.admin("DELETE", "/limits");
    expect((await lab.api("GET", "/zones")).status).toBe(200);
  });

  it("on an application's domains, which nobody else may have", async () => {
    const apps = `${ACCOUNT}/access/apps`;
    const app = (uris: string[]): object => ({
      ...{ name: "a", type: "self_hosted" },
      destinations: uris.map((uri) => ({ type: "public", uri })),
    });
    const six = Array.from({ length: 6 }, (_, n) => `n${n}.fleet.example`);
    expect(codes(await lab.api("POST", apps, app(six)))).toEqual([400, [12130]]);
    await make(apps, app(six.slice(0, 5)));
    expect(codes(await lab.api("POST", apps, app(["n1.fleet.example"])))).toEqual([409, [11010]]);
    expect(codes(await lab.api("POST", apps, app(["a.other.example"])))).toEqual([400, [12130]]);
    expect(codes(await lab.api("POST", apps, app([])))).toEqual([400, [12130]]);
  });
});

describe("faults", () => {
  it("refuse without doing anything, or do it and say otherwise", async () => {
    const path = "^/accounts/[^/]+/cfd_tunnel$";
    await lab.admin("POST", "/faults", { path, method: "POST", status: 503, times: 1 });
    expect((await lab.api("POST", TUNNELS, { name: "a" })).status).toBe(503);
    expect((await lab.api("GET", TUNNELS)).body.result).toEqual([]);
    await lab.admin("POST", "/faults", { path, method: "POST", kind: "after", times: 1 });
    expect((await lab.api("POST", TUNNELS, { name: "a" })).status).toBe(500);
    expect((await lab.api("GET", TUNNELS)).body.result).toHaveLength(1);
    expect(codes(await lab.api("POST", TUNNELS, { name: "a" }))).toEqual([409, [1013]]);
    const requests = (await lab.admin("GET", "/requests")) as unknown as { status: number }[];
    expect(requests.map(({ status }) => status)).toEqual([503, 200, 500, 200, 409]);
  });

  it("may close the connection", async () => {
    await lab.admin("POST", "/faults", { kind: "drop", times: 1 });
    await expect(lab.api("GET", "/zones")).rejects.toThrow("fetch failed");
    expect((await lab.api("GET", `/zones/${LAB_ZONE_ID}`)).status).toBe(200);
  });

  it("must make sense", async () => {
    expect(await lab.admin("POST", "/faults", { kind: "x" })).toEqual({
      error: 'kind: "refuse", "after", "drop", "hang" or "lost"',
    });
    expect(await lab.admin("POST", "/faults", { status: 200 })).toEqual({
      error: "status: 400 to 599",
    });
  });
});
