import { ACCOUNT, Loopback } from "./loopback";
import { until } from "../../../lab/fleet/until";

let lab: Loopback;
const ACCESS = `${ACCOUNT}/access`;

beforeAll(async () => {
  lab = await Loopback.start();
  const origin = await lab.origin((request, response) => {
    const seen = Object.keys(request.headers).filter((name) => name.startsWith("cf-access"));
    response.end(JSON.stringify(seen));
  });
  const { token } = await lab.tunnel("n1", origin.port);
  await (await lab.connector(token)).ready();
});

afterAll(async () => {
  await lab.close();
});

interface Token {
  readonly id: string;
  readonly client_id: string;
  readonly client_secret: string;
}

const make = async <T>(path: string, body: object): Promise<T> =>
  (await lab.api("POST", ACCESS + path, body)).body.result as T;

const makeToken = (name: string): Promise<Token> => make("/service_tokens", { name });

const headersOf = ({ client_id, client_secret }: Token): Record<string, string> => ({
  "CF-Access-Client-Id": client_id,
  "CF-Access-Client-Secret": client_secret,
});

const statusWith = async (headers: Record<string, string> = {}, path = "/"): Promise<number> =>
  (await lab.get("n1", path, { headers })).status;

/** Protects the name with policies of these contents, in this order. */
async function protect(...policies: object[]): Promise<string> {
  const ids: { id: string; precedence: number }[] = [];
  for (const [index, policy] of policies.entries()) {
    const { id } = await make<{ id: string }>("/policies", { name: `p${index}`, ...policy });
    ids.push({ id, precedence: index + 1 });
  }
  const { id } = await make<{ id: string }>("/apps", {
    ...{ name: "app", type: "self_hosted", policies: ids },
    destinations: [{ type: "public", uri: "n1.fleet.example" }],
  });
  return id;
}

afterEach(() => {
  const { applications, policies, serviceTokens } = lab.stand.account;
  for (const map of [applications, policies, serviceTokens]) map.clear();
});

const only = (token: Token): object => ({
  decision: "non_identity",
  include: [{ service_token: { token_id: token.id } }],
});

describe("Access at the edge", () => {
  it("lets in who has the fleet's token, and tells the origin nothing of it", async () => {
    const [ours, theirs] = [await makeToken("ours"), await makeToken("theirs")];
    await protect(only(ours));
    expect(await statusWith()).toBe(403);
    expect(await statusWith(headersOf(theirs))).toBe(403);
    expect(await statusWith({ ...headersOf(ours), "CF-Access-Client-Secret": "x" })).toBe(403);
    expect(await statusWith({ "CF-Access-Client-Id": ours.client_id })).toBe(403);
    const { status, body } = await lab.get("n1", "/", { headers: headersOf(ours) });
    expect([status, body]).toEqual([200, "[]"]);
  });

  it.each<[string, object[], number, number]>([
    [
      "any token",
      [{ decision: "non_identity", include: [{ any_valid_service_token: {} }] }],
      403,
      200,
    ],
    ["people", [{ decision: "allow", include: [{ email_domain: { domain: "x" } }] }], 302, 302],
    ["everyone", [{ decision: "bypass", include: [{ everyone: {} }] }], 200, 200],
    ["an address", [{ decision: "bypass", include: [{ ip: { ip: "127.0.0.1/32" } }] }], 200, 200],
    ["another one", [{ decision: "bypass", include: [{ ip: { ip: "192.0.2.1/32" } }] }], 403, 403],
    [
      "all but those with a token",
      [
        {
          decision: "bypass",
          include: [{ everyone: {} }],
          exclude: [{ any_valid_service_token: {} }],
        },
      ],
      200,
      403,
    ],
    ["nobody", [], 403, 403],
  ])("for %s", async (_, policies, without, with_) => {
    const token = await makeToken("any");
    await protect(...policies);
    expect([await statusWith(), await statusWith(headersOf(token))]).toEqual([without, with_]);
  });

  it("is for the path that an application names, and for no other", async () => {
    await make("/apps", {
      ...{ name: "app", type: "self_hosted", domain: "n1.fleet.example/admin" },
    });
    expect([await statusWith({}, "/admin/x"), await statusWith({}, "/administrator")]).toEqual([
      ...[403, 200],
    ]);
  });

  it("takes the old secret beside the new one as long as it is told, and no disabled token", async () => {
    const token = await makeToken("fleet");
    await protect(only(token));
    const path = `${ACCESS}/service_tokens/${token.id}`;
    const expiry = (ms: number): object => ({
      previous_client_secret_expires_at: new Date(Date.now() + ms).toISOString(),
    });
    const body = { client_secret_version: 2, ...expiry(600_000) };
    const rotated = (await lab.api("PUT", path, body)).body.result;
    const next = { ...token, client_secret: String(rotated["client_secret"]) };
    expect(next.client_secret).not.toBe(token.client_secret);
    expect([await statusWith(headersOf(token)), await statusWith(headersOf(next))]).toEqual([
      ...[200, 200],
    ]);
    await lab.api("PUT", path, { ...body, ...expiry(-1) });
    expect([await statusWith(headersOf(token)), await statusWith(headersOf(next))]).toEqual([
      ...[403, 200],
    ]);
    await lab.api("PUT", path, { ...body, enabled: false });
    expect(await statusWith(headersOf(next))).toBe(403);
  });

  it("loses no request while a second token takes the place of the first", async () => {
    const old = await makeToken("generation 1");
    await protect(only(old));
    const policy = (await lab.api("GET", `${ACCESS}/policies`)).body.result as unknown as [
      { id: string },
    ];
    let [current, isOver] = [old, false];
    const statuses: number[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) statuses.push(await statusWith(headersOf(current)));
    });
    await until(() => statuses.length > 20, 60_000);
    const fresh = await makeToken("generation 2");
    const include = [old, fresh].map(({ id }) => ({ service_token: { token_id: id } }));
    const put = { name: "p0", decision: "non_identity" };
    await lab.api("PUT", `${ACCESS}/policies/${policy[0].id}`, { ...put, include });
    current = fresh;
    const soFar = statuses.length;
    await until(() => statuses.length > soFar + 20, 60_000);
    await lab.api("PUT", `${ACCESS}/policies/${policy[0].id}`, { ...put, include: [include[1]] });
    await lab.api("DELETE", `${ACCESS}/service_tokens/${old.id}`);
    const then = statuses.length;
    await until(() => statuses.length > then + 20, 60_000);
    isOver = true;
    await Promise.all(load);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(await statusWith(headersOf(old))).toBe(403);
  });
});
