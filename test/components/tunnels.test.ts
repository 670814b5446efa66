import * as pulumi from "@pulumi/pulumi";
import { openTunnels, type TunnelsArgs } from "../../components/tunnels";
import { type FleetPlan } from "../../hosts/plan/types";
import { type Facts } from "../../payload/facts";
import { ACCESS_TOKEN, ENTRY_TOKEN, TUNNEL_TOKEN } from "../../payload/tunnelPart";
import { type CloudflareSettings } from "../../settings/cloudflare";
import { ingressRules } from "../../tunnels/ingress";
import { type TunnelMemory } from "../../tunnels/memory";
import { NO_TUNNELS, planTunnels } from "../../tunnels/plan";
import { recordComment } from "../../tunnels/survey";
import { ownerMark, tunnelSecret, tunnelToken } from "../../tunnels/token";
import { planOf } from "../payload/plans";
import { shortType, startCloudflareMocks } from "./cloudflareMocks";
import { type FakeCloudflare, startFakeCloudflare } from "./fakeCloudflare";
import { isSecret, type Registered, unwrapSecret } from "./mocks";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const ZONE = "z".repeat(32);
const SECRET = "planted stack secret";
const MARK = ownerMark(SECRET, "access example.com");

const SETTINGS: CloudflareSettings = {
  accountId: ACCOUNT,
  zone: "example.com",
  zoneId: null,
  hostname: "{node}.{zone}",
  entry: "p2p",
  access: { generation: 1, overlap: true, duration: "8760h" },
  paths: "p2p",
  protocol: "auto",
  tokenGeneration: 1,
  cloudflared: { version: "2026.8.2", sha256: { x86_64: "a".repeat(64), aarch64: "b".repeat(64) } },
  adopt: {},
  adoptEntry: { tunnel: null, record: null },
};

/** Two deployed hosts, of which one is a voter, and others by their action. */
function fleet(more: FleetPlan["hosts"] = new Map()): FleetPlan {
  const hosts = [planOf({ name: "h1" }), planOf({ name: "h2", voter: false, container: true })];
  return {
    hosts: new Map([...hosts.map((host) => [host.name, host] as const), ...more]),
    voters: { declared: ["h1"], effective: ["h1"], rejected: [], quorum: 1, margin: 0 },
    relays: [],
    coordinator: "h1",
    entry: ["h1"],
    methods: ["cloudflare"],
  };
}

const idle = (name: string, action: "skip" | "refused", leaving: boolean) =>
  [
    name,
    { name, action, leaving, reason: "", provider: "x", number: null, connection: null },
  ] as const;

let fake: FakeCloudflare;
let logs: string[];

beforeEach(async () => {
  fake = await startFakeCloudflare();
  logs = [];
  for (const level of ["warn", "error"] as const)
    jest.spyOn(pulumi.log, level).mockImplementation((...said) => {
      logs.push(`${level}: ${said[0]}`);
      return Promise.resolve();
    });
});

afterEach(async () => {
  await pulumi.runtime.disconnect();
  await new Promise((resolve) => fake.server.close(resolve));
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

const args = (more: Partial<TunnelsArgs> = {}): TunnelsArgs => {
  const plan = more.plan ?? fleet();
  const settings = more.settings ?? SETTINGS;
  return {
    ...{ settings, plan, previous: null, secret: SECRET, mirror: null, api: fake.api },
    tunnels: planTunnels(plan, settings),
    ...more,
  };
};

/** Registers everything, as the program does. */
async function runThrough(
  more: Partial<TunnelsArgs> = {},
  seen: ReadonlyMap<string, Facts> = new Map(),
  mayRun: (node: string) => boolean = () => false,
) {
  const tunnels = await openTunnels(args(more));
  await tunnels.publish(seen);
  await tunnels.close(mayRun);
  return tunnels;
}

const listOf = (registered: readonly Registered[]): string[] =>
  registered.map(({ type, name }) => `${shortType(type)} ${name}`).sort();

const inputsOf = (registered: readonly Registered[], name: string) =>
  registered.find((one) => one.name === name)?.inputs;

const CREATED = [
  "DnsRecord entry-record",
  "DnsRecord h1-record",
  "DnsRecord h2-record",
  "EntryTunnel entry",
  "NodeTunnel h1",
  "NodeTunnel h2",
  "TunnelAccess access",
  "ZeroTrustAccessApplication access-app-1",
  "ZeroTrustAccessPolicy access-policy",
  "ZeroTrustAccessServiceToken access-token-1",
  "ZeroTrustTunnelCloudflared entry-tunnel",
  "ZeroTrustTunnelCloudflared h1-tunnel",
  "ZeroTrustTunnelCloudflared h2-tunnel",
  "ZeroTrustTunnelCloudflaredConfig entry-config",
  "ZeroTrustTunnelCloudflaredConfig h1-config",
  "ZeroTrustTunnelCloudflaredConfig h2-config",
];

const MEMORY: TunnelMemory = {
  accountId: ACCOUNT,
  zoneId: ZONE,
  tunnels: {
    entry: {
      id: "entry-tunnel-id",
      record: "entry-record-id",
      hostname: "p2p.example.com",
      port: 8770,
    },
    "node:h1": {
      id: "h1-tunnel-id",
      record: "h1-record-id",
      hostname: "h1.example.com",
      port: 8770,
    },
    "node:h2": {
      id: "h2-tunnel-id",
      record: "h2-record-id",
      hostname: "h2.example.com",
      port: 8770,
    },
  },
  access: {
    groups: { "1": ["h1.example.com", "h2.example.com", "p2p.example.com"] },
    tokens: [1],
  },
};

describe("tunnels of a fleet", () => {
  it("are a tunnel, a configuration and a record for every node and the entry, behind Access", async () => {
    const registered = await startCloudflareMocks();
    const tunnels = await runThrough();
    expect(listOf(registered)).toEqual(CREATED);
    const { tunnelSecret: secret, ...rest } = inputsOf(registered, "h1-tunnel") ?? {};
    expect(rest).toEqual({ accountId: ACCOUNT, name: "h1.example.com", configSrc: "cloudflare" });
    expect(unwrapSecret(secret)).toBe(tunnelSecret(SECRET, "node:h1", 1));
    expect(inputsOf(registered, "h1-config")).toEqual({
      accountId: ACCOUNT,
      tunnelId: "h1-tunnel-id",
      config: { ingresses: ingressRules("h1.example.com", 8770, "p2p") },
    });
    expect(inputsOf(registered, "h1-record")).toEqual({
      zoneId: ZONE,
      name: "h1.example.com",
      type: "CNAME",
      content: "h1-tunnel-id.cfargotunnel.com",
      proxied: true,
      ttl: 1,
      comment: recordComment(SECRET, "h1.example.com"),
    });
    expect(inputsOf(registered, "access-policy")).toEqual({
      accountId: ACCOUNT,
      name: `p2p example.com ${MARK}`,
      decision: "non_identity",
      includes: [{ serviceToken: { tokenId: "access-token-1-id" } }],
    });
    expect(inputsOf(registered, "access-app-1")).toEqual({
      accountId: ACCOUNT,
      name: `p2p example.com 1 ${MARK}`,
      type: "self_hosted",
      destinations: ["h1.example.com", "h2.example.com", "p2p.example.com"].map((uri) => ({
        type: "public",
        uri,
      })),
      policies: [{ id: "access-policy-id", precedence: 1 }],
    });
    expect(tunnels.memory()).toEqual(MEMORY);
    expect(tunnels.urls()).toEqual({
      nodes: { h1: "https://h1.example.com", h2: "https://h2.example.com" },
      entry: "https://p2p.example.com",
    });
    expect([logs, fake.changes]).toEqual([[], []]);
  });

  it("give a host its connectors and secrets, a voter the entry's too", async () => {
    await startCloudflareMocks();
    const tunnels = await openTunnels(args());
    const part = (name: string) => tunnels.partOf(planOf({ name, container: name === "h2" }));
    expect(part("h1")?.services.map(({ name }) => name)).toEqual(["cloudflared", "entry"]);
    expect(part("h2")?.services.map(({ name }) => name)).toEqual(["cloudflared"]);
    expect(part("h3")).toBeUndefined();
    const contents = part("h1")?.secrets.map(({ path, content }) => [path, content]);
    const token = (key: string, id: string) =>
      tunnelToken(ACCOUNT, id, tunnelSecret(SECRET, key, 1));
    expect(contents).toEqual([
      [TUNNEL_TOKEN, token("node:h1", "h1-tunnel-id")],
      [ENTRY_TOKEN, token("entry", "entry-tunnel-id")],
      [
        ACCESS_TOKEN,
        '{"client_id":"access-token-1.access","client_secret":"access-token-1-secret"}\n',
      ],
    ]);
    expect(tunnels.whyWaiting("h1")).toBeUndefined();
  });

  it("are the same list in a preview of new ones, with tokens that are pending", async () => {
    const registered = await startCloudflareMocks(true);
    const tunnels = await runThrough();
    expect(listOf(registered)).toEqual(CREATED);
    const part = tunnels.partOf(planOf({ name: "h1" }));
    expect(part?.secrets.map(({ digest }) => digest)).toEqual(["pending", "pending", "pending"]);
    expect(tunnels.whyWaiting("h1")).toBeUndefined();
    expect(isSecret(inputsOf(registered, "h1-tunnel")?.["tunnelSecret"])).toBe(true);
  });

  it("have no Access where it is off, and let every path through where that is asked for", async () => {
    const registered = await startCloudflareMocks();
    const tunnels = await runThrough({
      settings: { ...SETTINGS, access: null, paths: "all", entry: null },
    });
    expect(listOf(registered)).toEqual(CREATED.filter((line) => !/entry|[aA]ccess/.test(line)));
    expect(inputsOf(registered, "h1-config")?.["config"]).toEqual({
      ingresses: ingressRules("h1.example.com", 8770, "all"),
    });
    const part = tunnels.partOf(planOf({ name: "h1" }));
    expect(part?.secrets.map(({ path }) => path)).toEqual([TUNNEL_TOKEN]);
    expect(tunnels.memory()?.access).toBeNull();
  });
});

describe("what is somebody else's", () => {
  const record = { id: "f".repeat(32), name: "h1.example.com", type: "A", content: "192.0.2.7" };

  it("keeps its record: the node goes without, and says what to do", async () => {
    fake.records = [record];
    const registered = await startCloudflareMocks();
    const tunnels = await runThrough();
    expect(listOf(registered)).toEqual(CREATED.filter((line) => !line.includes("h1")));
    expect(tunnels.whyWaiting("h1")).toBe(
      `tunnel: the DNS record h1.example.com (A 192.0.2.7) is not ours and is left alone: delete it, choose another name with p2p_url, or take it over with p2p:cloudflare.adopt.h1.record: ${record.id}`,
    );
    expect([tunnels.partOf(planOf({ name: "h1" })), fake.changes]).toEqual([undefined, []]);
    expect(tunnels.urls().nodes).toEqual({ h2: "https://h2.example.com" });
  });

  it("keeps its tunnel, unless its secret is one that we have derived", async () => {
    const named = { id: "t1", name: "h1.example.com", config_src: "cloudflare" };
    fake.tunnels = [{ ...named, token: tunnelToken(ACCOUNT, "t1", "another secret") }];
    await startCloudflareMocks();
    const refused = await openTunnels(args());
    expect(refused.whyWaiting("h1")).toContain(
      "the tunnel name h1.example.com is taken by a tunnel that is not ours",
    );
    await pulumi.runtime.disconnect();
    fake.tunnels = [
      { ...named, token: tunnelToken(ACCOUNT, "t1", tunnelSecret(SECRET, "node:h1", 1)) },
    ];
    await startCloudflareMocks();
    expect((await openTunnels(args())).whyWaiting("h1")).toBeUndefined();
  });

  it("is no reason where the last run has left it, or our mark is on it", async () => {
    const comment = recordComment(SECRET, "h2.example.com");
    fake.records = [
      { ...record, id: "h1-record-id" },
      { ...record, name: "h2.example.com", type: "CNAME", comment },
      { ...record, name: "p2p.example.com", type: "TXT" },
    ];
    fake.tunnels = [{ id: "h1-tunnel-id", name: "h1.example.com" }];
    const registered = await startCloudflareMocks();
    await runThrough({ previous: MEMORY });
    expect(listOf(registered)).toEqual(CREATED);
    expect(fake.calls.filter((call) => call.includes("/token"))).toEqual([]);
  });
});

describe("an API that cannot be used", () => {
  it.each([
    [
      {
        status: 401,
        body: { success: false, errors: [{ code: 1000, message: "Invalid API Token" }] },
      },
      "Cloudflare does not take the API token (401: Invalid API Token (code 1000)): set cloudflare:apiToken",
    ],
    [
      { status: 429, body: { success: false, errors: [] }, headers: { "Retry-After": "17" } },
      "Cloudflare takes no more calls for now (429): run again in 17 s",
    ],
    [{ status: 502, body: "<html>" }, "Cloudflare's API fails at zones (502): run again later"],
  ])("is told once, and nothing new is made: %j", async (fault, text) => {
    fake.fault = fault;
    const registered = await startCloudflareMocks();
    const tunnels = await runThrough();
    expect(listOf(registered)).toEqual([]);
    expect([logs, process.exitCode]).toEqual([[`error: p2p:cloudflare: ${text}`], 1]);
    expect(tunnels.whyWaiting("h1")).toBe(`tunnel: ${text}`);
    expect(tunnels.memory()).toBeNull();
  });

  it("leaves everything standing that the last run has left", async () => {
    fake.fault = { status: 403, body: { success: false, errors: [] } };
    const registered = await startCloudflareMocks();
    const tunnels = await runThrough({ previous: MEMORY });
    expect(listOf(registered)).toEqual(CREATED);
    expect(tunnels.memory()).toEqual(MEMORY);
    expect(tunnels.partOf(planOf({ name: "h1" }))?.services).toHaveLength(2);
    expect(process.exitCode).toBe(1);
  });

  it("only warns in preview, and says when the zone is not there", async () => {
    fake.zones = [];
    await startCloudflareMocks(true);
    await runThrough();
    expect([logs, process.exitCode]).toEqual([
      [
        "warn: p2p:cloudflare: Cloudflare knows no zone example.com that the API token may read: add the zone, or mend p2p:cloudflare.zone",
      ],
      undefined,
    ]);
  });

  it("is not asked without credentials", async () => {
    await startCloudflareMocks();
    const tunnels = await openTunnels(args({ api: null }));
    expect(tunnels.whyWaiting("h2")).toBe(
      "tunnel: there is no API token for Cloudflare: set cloudflare:apiToken (a secret)",
    );
  });
});

describe("doubles that a cut run has left", () => {
  it("go, and nothing else of that kind", async () => {
    const token = { id: "double", name: `p2p example.com 1 ${MARK}` };
    fake.serviceTokens = [
      token,
      { ...token, id: "access-token-1-id" },
      { id: "theirs", name: "p2p example.com 1" },
      { id: "older", name: `p2p example.com 0 ${MARK}` },
    ];
    fake.policies = [{ id: "double", name: `p2p example.com ${MARK}` }];
    await startCloudflareMocks();
    await runThrough();
    expect(fake.changes).toEqual([
      `DELETE accounts/${ACCOUNT}/access/service_tokens/double`,
      `DELETE accounts/${ACCOUNT}/access/policies/double`,
    ]);
  });
});

describe("rotation of the service token", () => {
  const settings = { ...SETTINGS, access: { generation: 2, overlap: true, duration: "8760h" } };
  const seenWith = (digests: Record<string, string>) =>
    new Map(
      Object.entries(digests).map(([host, digest]) => [
        host,
        { secrets: { [ACCESS_TOKEN]: { digest } } } as unknown as Facts,
      ]),
    );
  const letIn = (registered: readonly Registered[]) =>
    inputsOf(registered, "access-policy")?.["includes"];
  const token = (generation: number) => ({
    serviceToken: { tokenId: `access-token-${generation}-id` },
  });

  it("lets both in until every host was seen with the new one, and says who was not", async () => {
    const registered = await startCloudflareMocks();
    const tunnels = await openTunnels(args({ settings, previous: MEMORY }));
    const digest = tunnels.partOf(planOf({ name: "h1" }))?.secrets.at(-1)?.digest ?? "";
    await tunnels.publish(seenWith({ h1: digest, h2: "an older one" }));
    expect(letIn(registered)).toEqual([token(1), token(2)]);
    expect(logs).toEqual([
      "warn: service token 1 is let in until every host has token 2; not yet seen on h2",
    ]);
    expect(tunnels.memory()?.access?.tokens).toEqual([1, 2]);
  });

  it("drops the old one in the run that finds the new one everywhere", async () => {
    const registered = await startCloudflareMocks();
    const previous = { ...MEMORY, access: { groups: {}, tokens: [1, 2] } };
    const tunnels = await openTunnels(args({ settings, previous }));
    const digest = tunnels.partOf(planOf({ name: "h1" }))?.secrets.at(-1)?.digest ?? "";
    await tunnels.publish(seenWith({ h1: digest, h2: digest }));
    expect(letIn(registered)).toEqual([token(2)]);
    expect(listOf(registered).filter((line) => line.includes("ServiceToken"))).toEqual([
      "ZeroTrustAccessServiceToken access-token-2",
    ]);
    expect([logs, tunnels.memory()?.access?.tokens]).toEqual([[], [2]]);
  });
});

describe("hosts that go", () => {
  const previous: TunnelMemory = {
    ...MEMORY,
    tunnels: {
      ...MEMORY.tunnels,
      "node:h3": { id: "t3", record: "r3", hostname: "h3.example.com", port: 8770 },
    },
  };
  const dropped = `DELETE accounts/${ACCOUNT}/cfd_tunnel/t3/connections`;

  it("have the connections of their tunnel closed before the engine deletes it", async () => {
    const registered = await startCloudflareMocks();
    const tunnels = await runThrough({ previous });
    expect(listOf(registered)).toEqual(CREATED);
    expect(fake.changes).toEqual([dropped]);
    expect(tunnels.memory()).toEqual(MEMORY);
  });

  it("keep the tunnel, without its name, while their connector may run", async () => {
    const registered = await startCloudflareMocks();
    const plan = fleet(new Map([idle("h3", "skip", true)]));
    const tunnels = await runThrough({ previous, plan }, new Map(), (node) => node === "h3");
    expect(listOf(registered)).toEqual(
      [...CREATED, "NodeTunnel h3", "ZeroTrustTunnelCloudflared h3-tunnel"].sort(),
    );
    expect(logs).toEqual(["warn: its connector was not seen to have stopped: the tunnel stays"]);
    expect([fake.changes, tunnels.memory()?.tunnels["node:h3"]]).toEqual([
      [],
      { id: "h3-tunnel-id", record: null, hostname: "h3.example.com", port: 8770 },
    ]);
  });

  it("keep everything where the inventory is wrong about them", async () => {
    const registered = await startCloudflareMocks();
    await runThrough({ previous, plan: fleet(new Map([idle("h3", "refused", false)])) });
    expect(listOf(registered).filter((line) => line.includes("h3"))).toEqual([
      "DnsRecord h3-record",
      "NodeTunnel h3",
      "ZeroTrustTunnelCloudflared h3-tunnel",
      "ZeroTrustTunnelCloudflaredConfig h3-config",
    ]);
    expect(inputsOf(registered, "access-app-1")?.["destinations"]).toContainEqual({
      type: "public",
      uri: "h3.example.com",
    });
    expect(fake.changes).toEqual([]);
  });

  it("keep entry and Access where the inventory is wrong about every host", async () => {
    const registered = await startCloudflareMocks();
    const wrong = new Map([idle("h1", "refused", false), idle("h2", "refused", false)]);
    const plan = { ...fleet(wrong), hosts: wrong };
    const tunnels = await runThrough({ previous: MEMORY, plan, tunnels: NO_TUNNELS });
    expect(listOf(registered)).toEqual(CREATED);
    expect([fake.changes, tunnels.memory()?.tunnels["entry"]?.id]).toEqual([[], "entry-tunnel-id"]);
  });

  it("all go where nothing is to be left, but for tunnels whose connectors may run", async () => {
    const registered = await startCloudflareMocks();
    await runThrough({ previous: MEMORY, tunnels: NO_TUNNELS }, new Map(), (node) => node === "h2");
    expect(listOf(registered)).toEqual([
      "EntryTunnel entry",
      "NodeTunnel h2",
      "ZeroTrustTunnelCloudflared entry-tunnel",
      "ZeroTrustTunnelCloudflared h2-tunnel",
    ]);
    expect(fake.changes).toEqual([
      `DELETE accounts/${ACCOUNT}/cfd_tunnel/h1-tunnel-id/connections`,
    ]);
  });

  it("say what to do where the connections cannot be closed", async () => {
    await startCloudflareMocks();
    const tunnels = await openTunnels(args({ previous }));
    fake.fault = { status: 400, body: { success: false, errors: [{ code: 1, message: "no" }] } };
    await tunnels.close(() => false);
    expect(logs).toEqual([
      `warn: connections of the tunnel t3 could not be closed (Cloudflare refuses accounts/${ACCOUNT}/cfd_tunnel/t3/connections (400: no (code 1))); if deleting it fails with code 1022, stop its connector or run cloudflared tunnel cleanup t3, then pulumi up`,
    ]);
  });
});

describe("adoption", () => {
  const tunnel = "6ff42ae2-765d-4adf-8112-31c55c1551ef";
  const record = "f".repeat(32);
  const settings = { ...SETTINGS, entry: null, access: null, adopt: { h1: { tunnel, record } } };
  const theirs = { id: record, name: "h1.example.com", type: "CNAME", content: "old.example.com" };

  beforeEach(() => {
    fake.tunnels = [
      {
        id: tunnel,
        name: "old name",
        config_src: "cloudflare",
        token: tunnelToken(ACCOUNT, tunnel, "x"),
      },
    ];
    fake.records = [theirs];
  });

  it("makes tunnel and record what is wanted, and imports them", async () => {
    await startCloudflareMocks();
    const tunnels = await runThrough({ settings });
    const own = tunnelSecret(SECRET, "node:h1", 1);
    expect(fake.changes).toEqual([
      `PATCH accounts/${ACCOUNT}/cfd_tunnel/${tunnel} ${JSON.stringify({ name: "h1.example.com", tunnel_secret: own })}`,
      `PATCH zones/${ZONE}/dns_records/${record} ${JSON.stringify({
        content: `${tunnel}.cfargotunnel.com`,
        comment: recordComment(SECRET, "h1.example.com"),
        proxied: true,
        ttl: 1,
      })}`,
    ]);
    expect([tunnels.whyWaiting("h1"), logs]).toEqual([undefined, []]);
  });

  it("changes nothing that is as it is wanted, and nothing in preview", async () => {
    await startCloudflareMocks(true);
    await runThrough({ settings });
    expect(fake.changes).toEqual([]);
    await pulumi.runtime.disconnect();
    fake.tunnels = [
      {
        ...{ id: tunnel, name: "h1.example.com", config_src: "cloudflare" },
        token: tunnelToken(ACCOUNT, tunnel, tunnelSecret(SECRET, "node:h1", 1)),
      },
    ];
    const comment = recordComment(SECRET, "h1.example.com");
    fake.records = [{ ...theirs, content: `${tunnel}.cfargotunnel.com`, comment, proxied: true }];
    await startCloudflareMocks();
    await runThrough({ settings });
    expect(fake.changes).toEqual([]);
  });

  it.each([
    [
      () => (fake.tunnels = [{ id: tunnel, name: "n", config_src: "local" }]),
      `tunnel: the tunnel ${tunnel} is configured on its own machine: only one that is configured at Cloudflare can be taken over`,
    ],
    [
      () => (fake.tunnels = [{ id: tunnel, name: "n", deleted_at: "2026-01-01T00:00:00Z" }]),
      `tunnel: the tunnel ${tunnel} was deleted: it cannot be taken over`,
    ],
    [
      () => (fake.tunnels = []),
      `tunnel: Cloudflare refuses accounts/${ACCOUNT}/cfd_tunnel/${tunnel} (404: not found (code 1003))`,
    ],
    [
      () => (fake.records = [{ ...theirs, type: "A" }]),
      `tunnel: the DNS record h1.example.com (A) cannot be taken over: it has to be the CNAME record h1.example.com`,
    ],
    [
      () => (fake.records = []),
      `tunnel: there is no DNS record ${record} in the zone that could be taken over`,
    ],
  ])("says why it cannot be, and makes nothing for the node", async (change, text) => {
    change();
    const registered = await startCloudflareMocks();
    const tunnels = await runThrough({ settings });
    expect(tunnels.whyWaiting("h1")).toBe(text);
    expect(listOf(registered).filter((line) => line.includes("h1"))).toEqual([]);
  });
});
