import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { LAB_ACCOUNT_ID, LAB_ZONE_ID } from "../../../lab/cloudflare/names";
import { isSecret, secret, UNKNOWN, unwrapSecrets, type ValueMap } from "../../../lab/wire";
import { failure, ProviderUnderTest, urnOf } from "../providers/client";
import { FakeEngine } from "../providers/fakeEngine";
import { ACCOUNT, API_TOKEN, Loopback, RECORDS } from "./loopback";

const executable = [join(__dirname, "../../../lab/bin/pulumi-resource-cloudflare")];
const urns = {
  app: urnOf("cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"),
  config: urnOf(
    "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig",
  ),
  policy: urnOf("cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy"),
  record: urnOf("cloudflare:index/dnsRecord:DnsRecord"),
  token: urnOf("cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken"),
  tunnel: urnOf("cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"),
};
const accountId = LAB_ACCOUNT_ID;
const zoneId = LAB_ZONE_ID;
const tunnelSecret = Buffer.alloc(32, 7).toString("base64");

let lab: Loopback;
let engine: FakeEngine;
let provider: ProviderUnderTest;

beforeEach(async () => {
  lab = await Loopback.start();
  engine = await FakeEngine.start();
  provider = await ProviderUnderTest.start(executable, engine, { LAB_CLOUDFLARE_BACKOFF_MS: "2" });
  await provider.configure({ apiToken: secret(API_TOKEN), baseUrl: lab.apiUrl });
});

afterEach(async () => {
  await provider.stop();
  engine.stop();
  await lab.close();
});

const makeTunnel = (name = "n1"): ReturnType<ProviderUnderTest["create"]> =>
  provider.create(urns.tunnel, {
    ...{ accountId, name, configSrc: "cloudflare" },
    tunnelSecret: secret(tunnelSecret),
  });

describe("a tunnel", () => {
  it("is made with its secret, which stays one", async () => {
    const { id, outputs } = await makeTunnel();
    expect(isSecret(outputs["tunnelSecret"])).toBe(true);
    expect(unwrapSecrets(outputs)).toEqual({
      ...{ accountId, name: "n1", configSrc: "cloudflare", tunnelSecret },
      accountTag: accountId,
      connections: [],
      connsInactiveAt: expect.any(String),
      createdAt: expect.any(String),
      metadata: "{}",
      remoteConfig: true,
      status: "inactive",
      tunType: "cfd_tunnel",
    });
    const token = await lab.api("GET", `${ACCOUNT}/cfd_tunnel/${id}/token`);
    expect(JSON.parse(Buffer.from(String(token.body.result), "base64").toString())).toEqual({
      ...{ a: accountId, t: id, s: tunnelSecret },
    });
  });

  it("is unknown in a preview", async () => {
    const { id, outputs } = await provider.create(
      urns.tunnel,
      { accountId, name: "n1" },
      { preview: true },
    );
    expect([id, outputs["status"], outputs["accountTag"]]).toEqual(["", UNKNOWN, UNKNOWN]);
    expect((await lab.api("GET", `${ACCOUNT}/cfd_tunnel`)).body.result).toEqual([]);
  });

  it("gets a new name and a new secret without being replaced, another source only so", async () => {
    const { id, outputs } = await makeTunnel();
    const inputs = { accountId, name: "n1", configSrc: "cloudflare", tunnelSecret };
    expect(
      await provider.diff(urns.tunnel, id, outputs, inputs, { ...inputs, name: "n2" }),
    ).toEqual({ changes: "some", detailed: { name: "update" } });
    expect(
      await provider.diff(urns.tunnel, id, outputs, inputs, { ...inputs, configSrc: "local" }),
    ).toEqual({ changes: "some", detailed: { configSrc: "update-replace" } });
    expect(await provider.diff(urns.tunnel, id, outputs, inputs, inputs)).toEqual({
      ...{ changes: "none", detailed: {} },
    });
    await provider.update(urns.tunnel, id, outputs, inputs, { ...inputs, name: "n2" });
    expect((await lab.api("GET", `${ACCOUNT}/cfd_tunnel/${id}`)).body.result["name"]).toBe("n2");
  });

  it("is taken over by account and id, without its secret and its source", async () => {
    const { id } = await makeTunnel();
    const read = await provider.read(urns.tunnel, `${accountId}/${id}`, {}, {});
    expect(read).toMatchObject({ id, inputs: { accountId, name: "n1" } });
    expect(Object.keys(read.inputs).sort()).toEqual(["accountId", "name"]);
    const error = await failure(provider.read(urns.tunnel, `x/y/${id}`, {}, {}));
    expect(error.details).toBe(`invalid ID: "x/y/${id}", expected "<account_id>/<tunnel_id>"`);
    const gone = `${accountId}/00000000-0000-4000-8000-000000000000`;
    expect((await provider.read(urns.tunnel, gone, {}, {})).id).toBe("");
  });

  it("that an interrupted run made is known by its secret, and nobody else's is taken for it", async () => {
    const { id } = await makeTunnel();
    const inputs: ValueMap = { accountId, name: "n1", tunnelSecret: secret(tunnelSecret) };
    expect((await provider.read(urns.tunnel, "", {}, inputs)).id).toBe(id);
    const other = { ...inputs, tunnelSecret: secret(Buffer.alloc(32, 8).toString("base64")) };
    expect((await provider.read(urns.tunnel, "", {}, other)).id).toBe("");
  });

  it("of a taken name is refused after as many attempts as the official client makes", async () => {
    await makeTunnel();
    await lab.admin("DELETE", "/requests");
    const error = await failure(makeTunnel());
    expect(error.code).toBe(status.ALREADY_EXISTS);
    expect(error.details).toBe(
      `failed to make http request: POST "${lab.apiUrl}${ACCOUNT}/cfd_tunnel": 409 Conflict ` +
        '{"success":false,"errors":[{"code":1013,"message":"You already have a tunnel with this name. Delete the existing tunnel, or choose a different name for your new tunnel"}],"messages":[],"result":null}',
    );
    const requests = (await lab.admin("GET", "/requests")) as unknown as { status: number }[];
    expect(requests.map((request) => request.status)).toEqual(Array(11).fill(409));
  });

  it("is deleted softly, and once for all", async () => {
    const { id, outputs } = await makeTunnel();
    await provider.delete(urns.tunnel, id, outputs);
    expect((await lab.api("GET", `${ACCOUNT}/cfd_tunnel/${id}`)).body.result).toMatchObject({
      deleted_at: expect.any(String),
    });
    // As a run that was cut while it deleted does it.
    await provider.delete(urns.tunnel, id, outputs);
    const gone = "00000000-0000-4000-8000-000000000000";
    const error = await failure(provider.delete(urns.tunnel, gone, outputs));
    expect([error.code, error.details]).toEqual([
      status.NOT_FOUND,
      expect.stringMatching(/^failed to make http request: DELETE ".*": 404 Not Found \{/),
    ]);
  });
});

describe("a tunnel's configuration", () => {
  it("is put, put again, and stays when the resource goes", async () => {
    const { id: tunnelId } = await makeTunnel();
    const ingresses: ValueMap[] = [
      {
        hostname: "n1.fleet.example",
        service: "http://localhost:8770",
        path: "^/health$",
        originRequest: { connectTimeout: 5, noTlsVerify: true },
      },
      { service: "http_status:404" },
    ];
    const inputs = { accountId, tunnelId, config: { ingresses } };
    const { id, outputs } = await provider.create(urns.config, inputs);
    expect([id, outputs]).toEqual([
      tunnelId,
      { ...inputs, version: 1, source: "cloudflare", createdAt: expect.any(String) },
    ]);
    const path = `${ACCOUNT}/cfd_tunnel/${tunnelId}/configurations`;
    expect((await lab.api("GET", path)).body.result["config"]).toEqual({
      ingress: [
        {
          hostname: "n1.fleet.example",
          service: "http://localhost:8770",
          path: "^/health$",
          originRequest: { connectTimeout: 5, noTLSVerify: true },
        },
        { service: "http_status:404" },
      ],
    });
    const read = await provider.read(urns.config, `${accountId}/${tunnelId}`, {}, {});
    expect([read.id, read.inputs["config"]]).toEqual([tunnelId, inputs.config]);
    const news = { ...inputs, config: { ingresses: [{ service: "http_status:404" }] } };
    const updated = await provider.update(urns.config, id, outputs, inputs, news);
    expect(updated).toMatchObject({ version: 2, config: news.config });
    await provider.delete(urns.config, id, updated);
    expect((await lab.api("GET", path)).body.result["version"]).toBe(2);
    expect(engine.take().map(({ severity }) => severity)).toEqual(["warning", "warning"]);
  });
});

describe("a DNS record", () => {
  const inputs = {
    ...{ zoneId, name: "n1.fleet.example", type: "CNAME", content: "x.cfargotunnel.com" },
    ...{ proxied: true, ttl: 1, comment: "fleet" },
  };

  it("is made, read, changed and deleted", async () => {
    const { id, outputs } = await provider.create(urns.record, inputs);
    expect(outputs).toEqual({
      ...inputs,
      commentModifiedOn: expect.any(String),
      createdOn: expect.any(String),
      modifiedOn: expect.any(String),
      meta: "{}",
      proxiable: true,
      settings: {},
      tags: [],
    });
    const read = await provider.read(urns.record, `${zoneId}/${id}`, {}, {});
    expect([read.id, read.inputs]).toEqual([id, { ...inputs, settings: {}, tags: [] }]);
    const news = { ...inputs, content: "y.cfargotunnel.com" };
    expect(await provider.diff(urns.record, id, outputs, inputs, news)).toEqual({
      ...{ changes: "some", detailed: { content: "update" } },
    });
    await provider.update(urns.record, id, outputs, inputs, news);
    expect((await lab.api("GET", `${RECORDS}/${id}`)).body.result["content"]).toBe(news.content);
    await provider.delete(urns.record, id, outputs);
    expect((await lab.api("GET", RECORDS)).body.result).toEqual([]);
  });

  it("that is proxied must leave its time to live alone", async () => {
    const error = await failure(provider.create(urns.record, { ...inputs, ttl: 300 }));
    expect(error.details).toMatch(/^ttl must be set to 1 when `proxied` is true/);
    expect((await lab.api("GET", RECORDS)).body.result).toEqual([]);
  });

  it("beside somebody else's is refused at once, and that one stays as it is", async () => {
    await lab.api("POST", RECORDS, { ...inputs, type: "A", content: "192.0.2.1" });
    await lab.admin("DELETE", "/requests");
    const error = await failure(provider.create(urns.record, inputs));
    expect([error.code, error.details]).toEqual([
      status.INVALID_ARGUMENT,
      expect.stringContaining('"code":81053'),
    ]);
    expect(await lab.admin("GET", "/requests")).toHaveLength(1);
    const found = await provider.read(urns.record, "", {}, inputs);
    expect(found.id).toBe("");
  });

  it.each([
    [{ zoneId, name: "a", ttl: 1 }, [{ property: "type", reason: "Missing required property" }]],
    [{ ...inputs, value: "x" }, [{ property: "value", reason: "Unexpected property" }]],
    [{ ...inputs, name: UNKNOWN }, []],
  ])("%j is judged before anything is done", async (given, failures) => {
    expect((await provider.check(urns.record, given)).failures).toEqual(failures);
  });
});

describe("Access", () => {
  it("is policy, service token and application, tied together by their ids", async () => {
    const token = await provider.create(urns.token, { accountId, name: "fleet" });
    expect(isSecret(token.outputs["clientSecret"])).toBe(true);
    expect(unwrapSecrets(token.outputs)).toEqual({
      ...{ accountId, name: "fleet", clientSecretVersion: 1, duration: "8760h" },
      clientId: expect.stringMatching(/^[0-9a-f]{32}\.access$/),
      clientSecret: expect.stringMatching(/^[0-9a-f]{64}$/),
      expiresAt: expect.any(String),
    });
    const includes = [{ serviceToken: { tokenId: token.id } }];
    const policy = await provider.create(urns.policy, {
      ...{ accountId, name: "fleet", decision: "non_identity", includes },
    });
    expect(policy.outputs).toMatchObject({ includes, excludes: [], sessionDuration: "24h" });
    const app = {
      ...{ accountId, name: "fleet", type: "self_hosted" },
      destinations: [{ type: "public", uri: "n1.fleet.example" }],
      policies: [{ id: policy.id, precedence: 1 }],
    };
    const made = await provider.create(urns.app, app);
    expect(made.outputs).toMatchObject({ ...app, aud: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const read = await provider.read(urns.app, `accounts/${accountId}/${made.id}`, {}, {});
    expect([read.id, read.inputs]).toMatchObject([made.id, app]);
    const known = await provider.read(urns.app, made.id, made.outputs, app);
    expect(known.inputs).toEqual(app);
    const inUse = await failure(provider.delete(urns.policy, policy.id, policy.outputs));
    expect(inUse.details).toContain("policy is in use");
    await provider.delete(urns.app, made.id, made.outputs);
    await provider.delete(urns.policy, policy.id, policy.outputs);
    await provider.delete(urns.token, token.id, token.outputs);
    expect(await lab.admin("GET", "/state")).toMatchObject({
      ...{ applications: [], policies: [], serviceTokens: [] },
    });
  });

  it("keeps a token's secret until its version rises", async () => {
    const inputs = { accountId, name: "fleet" };
    const { id, outputs } = await provider.create(urns.token, inputs);
    const renamed = await provider.update(urns.token, id, outputs, inputs, {
      ...inputs,
      duration: "17520h",
    });
    expect(renamed["clientSecret"]).toEqual(outputs["clientSecret"]);
    const rotated = await provider.update(urns.token, id, outputs, inputs, {
      ...inputs,
      clientSecretVersion: 2,
      previousClientSecretExpiresAt: new Date(Date.now() + 60_000).toISOString(),
    });
    expect(isSecret(rotated["clientSecret"])).toBe(true);
    expect(rotated["clientSecret"]).not.toEqual(outputs["clientSecret"]);
    expect(rotated["clientId"]).toEqual(outputs["clientId"]);
  });

  it("finds an unused token of an interrupted run, and leaves one alone that is in use", async () => {
    const inputs = { accountId, name: "fleet" };
    const made = await provider.create(urns.token, inputs);
    const found = await provider.read(urns.token, "", {}, inputs);
    expect([found.id, isSecret(found.outputs["clientSecret"])]).toEqual([made.id, true]);
    await provider.create(urns.policy, {
      ...{ accountId, name: "p", decision: "non_identity" },
      includes: [{ serviceToken: { tokenId: made.id } }],
    });
    expect((await provider.read(urns.token, "", {}, inputs)).id).toBe("");
  });
});

describe("functions", () => {
  it("look a zone up by its name", async () => {
    const { result } = await provider.invoke("cloudflare:index/getZone:getZone", {
      filter: { name: "fleet.example" },
    });
    expect(result).toMatchObject({ id: zoneId, zoneId, name: "fleet.example", status: "active" });
    const missing = provider.invoke("cloudflare:index/getZone:getZone", {
      filter: { name: "other.example" },
    });
    const error = await failure(missing);
    expect(error.details).toBe("failed to find exactly one result: 0 found");
  });

  it("list zones and give a tunnel's token", async () => {
    const zones = await provider.invoke("cloudflare:index/getZones:getZones", {});
    expect(zones.result["results"]).toHaveLength(1);
    const { id } = await makeTunnel();
    const name =
      "cloudflare:index/getZeroTrustTunnelCloudflaredToken:getZeroTrustTunnelCloudflaredToken";
    const { result } = await provider.invoke(name, { accountId, tunnelId: id });
    const token = Buffer.from(String(result["token"]), "base64").toString();
    expect(JSON.parse(token)).toEqual({ a: accountId, t: id, s: tunnelSecret });
  });
});

describe("the client", () => {
  it.each([
    [{ status: 500, times: 3 }, 4],
    [{ status: 429, times: 2, headers: { "retry-after": "1" } }, 3],
    [{ kind: "drop", times: 2 }, 3],
    [{ status: 503, times: 1, headers: { "x-should-retry": "false" } }, 0],
    [{ status: 403, times: 1 }, 0],
    [{ status: 401, times: 1 }, 0],
  ])("meets %j with %i requests (0: gives up at once)", async (fault, requests) => {
    await lab.admin("POST", "/faults", { ...fault, method: "POST" });
    const made = makeTunnel();
    if (requests === 0) {
      const status = "status" in fault ? fault.status : 0;
      expect((await failure(made)).details).toContain(`: ${status} `);
    } else expect((await made).id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await lab.admin("GET", "/requests")).toHaveLength(Math.max(1, requests));
  });

  it("says what is wrong with its settings", async () => {
    const other = await ProviderUnderTest.start(executable, engine, { CLOUDFLARE_API_TOKEN: "" });
    const none = await failure(other.configure({ baseUrl: lab.apiUrl }));
    expect(none.details).toContain('must provide exactly one of "api_key"');
    const short = await failure(other.configure({ apiToken: secret("abc") }));
    expect(short.details).toMatch(/^API tokens must only contain characters/);
    await other.stop();
  });

  it("takes the token from the environment, and never shows it", async () => {
    const env = { CLOUDFLARE_API_TOKEN: API_TOKEN, CLOUDFLARE_BASE_URL: lab.apiUrl };
    const other = await ProviderUnderTest.start(executable, engine, env);
    await other.configure({});
    await lab.admin("POST", "/limits", { records: 0 });
    const record = { zoneId, name: "a", type: "A", content: "192.0.2.1", ttl: 1 };
    const error = await failure(other.create(urns.record, record));
    expect(error.details).toContain('"code":81045');
    expect(error.details).not.toContain(API_TOKEN);
    await other.stop();
  });
});
