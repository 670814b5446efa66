/** What we ask the Tailscale API ourselves; everything that is made there is made by Pulumi's provider. */

import { z } from "zod";
import { type ApiAccess } from "./credentials";
import { type DnsSettings } from "./dns";
import { withPatience } from "./retryAfter";

const deviceSchema = z.object({
  id: z.string(),
  nodeId: z.string().default(""),
  /** MagicDNS name. */
  name: z.string().default(""),
  hostname: z.string().default(""),
  addresses: z.array(z.string()).default([]),
  tags: z.array(z.string()).default([]),
  lastSeen: z.string().nullish(),
  connectedToControl: z.boolean().nullish(),
  isExternal: z.boolean().nullish(),
});

export type Device = z.infer<typeof deviceSchema>;

/** One sentence for a person; never with a credential in it. */
export class TailnetApiError extends Error {
  constructor(
    message: string,
    /** HTTP status; null where nothing answered. */
    readonly status: number | null,
  ) {
    super(message);
  }
}

/** Milliseconds for one answer. */
const DEADLINE_MS = 15_000;

const dnsSchema = z.object({
  nameservers: z.array(z.object({ address: z.string() })).nullish(),
  searchPaths: z.array(z.string()).nullish(),
  preferences: z
    .object({ magicDNS: z.boolean().nullish(), overrideLocalDNS: z.boolean().nullish() })
    .nullish(),
});

/** `revoked` may be Go's zero time, the year 1. */
const keySchema = z.object({ invalid: z.boolean().nullish(), revoked: z.string().nullish() });

const verdictSchema = z.object({
  message: z.string().default(""),
  data: z
    .array(z.object({ user: z.string().default(""), errors: z.array(z.string()).default([]) }))
    .nullish(),
});

/** Clients that were made before the scopes got their present names keep the old ones, which were wider. */
const OLDER_SCOPES: Readonly<Record<string, readonly string[]>> = {
  policy_file: ["acl"],
  auth_keys: ["devices"],
};

export class TailnetApi {
  private authorization: Promise<string> | undefined;
  /** What an OAuth client's token may do; undefined for an API key, and where it was not said. */
  private scopes: readonly string[] | undefined;

  constructor(
    private readonly access: ApiAccess,
    private readonly deadline = DEADLINE_MS,
  ) {}

  /** It asks for an OAuth client or a workload, not for a person with a key. */
  get isClient(): boolean {
    return this.access.credentials.kind !== "key";
  }

  /** Text of the policy file, as it stands. */
  async policy(): Promise<string> {
    const accept = "application/hujson";
    const response = await this.request("GET", this.path("acl"), "policy_file", { accept });
    return response.text();
  }

  /** Tries a policy without setting it. @returns what the API would refuse it for; undefined where it would not */
  async policyFault(text: string): Promise<string | undefined> {
    const headers = { "content-type": "application/hujson" };
    const more = { headers, body: text };
    const response = await this.request("POST", this.path("acl/validate"), "policy_file", more);
    this.require("policy_file");
    const verdict = verdictSchema.safeParse(await jsonOf(response));
    if (!verdict.success || verdict.data.message === "") return undefined;
    const { message, data } = verdict.data;
    const told = (data ?? []).map(({ user, errors }) => `${user}: ${errors.join(", ")}`);
    return [message, ...told].join("; ").slice(0, 600);
  }

  /** Looks whether auth keys can be made. @throws TailnetApiError when they cannot, as far as one can tell */
  async allowsKeys(): Promise<true> {
    await this.request("GET", this.path("keys"), "auth_keys");
    this.require("auth_keys");
    return true;
  }

  /**
   * Which of some auth keys let nobody in any more. One that was revoked in the admin console is still told, with
   * `revoked` and `invalid`; one that the API does not know (404) is as good as that, as Tailscale's provider has it.
   */
  async goneKeys(ids: readonly string[]): Promise<string[]> {
    const found = await Promise.all(
      ids.map(async (id) => ((await this.isKeyGood(id)) ? [] : [id])),
    );
    return found.flat();
  }

  private async isKeyGood(id: string): Promise<boolean> {
    try {
      const path = this.path(`keys/${encodeURIComponent(id)}`);
      const answer = await jsonOf(await this.request("GET", path, "auth_keys"));
      const key = keySchema.safeParse(answer);
      // An answer that says nothing of it is no reason to make another.
      return !key.success || !(key.data.invalid || Date.parse(key.data.revoked ?? "") > 0);
    } catch (error) {
      if (error instanceof TailnetApiError && error.status === 404) return false;
      throw error;
    }
  }

  async dns(): Promise<DnsSettings> {
    const response = await this.request("GET", this.path("dns/configuration"), "dns");
    const parsed = dnsSchema.safeParse(await jsonOf(response));
    if (!parsed.success)
      throw new TailnetApiError("the Tailscale API gave DNS settings that cannot be read", 200);
    const { nameservers, searchPaths, preferences } = parsed.data;
    return {
      magicDns: preferences?.magicDNS === true,
      nameservers: (nameservers ?? []).map(({ address }) => address),
      searchPaths: searchPaths ?? [],
      overrideLocalDns: preferences?.overrideLocalDNS === true,
    };
  }

  async devices(): Promise<Device[]> {
    const response = await this.request("GET", this.path("devices?fields=all"), "devices:core");
    const parsed = z.object({ devices: z.array(deviceSchema) }).safeParse(await jsonOf(response));
    if (parsed.success) return parsed.data.devices.filter(({ isExternal }) => isExternal !== true);
    throw new TailnetApiError("the Tailscale API gave a list of devices that cannot be read", 200);
  }

  /** @param id node id or the older number; one that is gone already is fine */
  async deleteDevice(id: string): Promise<void> {
    try {
      await this.request("DELETE", `/device/${encodeURIComponent(id)}`, "devices:core");
    } catch (error) {
      if (!(error instanceof TailnetApiError) || error.status !== 404) throw error;
    }
  }

  private path(words: string): string {
    return `/tailnet/${encodeURIComponent(this.access.tailnet)}/${words}`;
  }

  /** A client that may read may still not write, which nothing but its token tells before. */
  private require(scope: string): void {
    const { scopes } = this;
    const enough = ["all", scope, ...(OLDER_SCOPES[scope] ?? [])];
    if (scopes === undefined || scopes.some((one) => enough.includes(one))) return;
    throw new TailnetApiError(
      `the Tailscale API's OAuth client does not have the scope ${scope}`,
      403,
    );
  }

  private async request(
    method: string,
    path: string,
    scope: string,
    more: { accept?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Response> {
    const { credentials } = this.access;
    this.authorization ??=
      credentials.kind === "key"
        ? Promise.resolve(`Basic ${Buffer.from(`${credentials.key}:`).toString("base64")}`)
        : this.exchange().then((token) => `Bearer ${token}`);
    const { accept = "application/json", headers: others, ...rest } = more;
    const headers = { accept, authorization: await this.authorization, ...others };
    const response = await this.send(path, { method, headers, ...rest });
    if (response.ok) return response;
    throw await refusal(response, scope);
  }

  /** An hour's access token for the client's secret, or for a workload's identity token. */
  private async exchange(): Promise<string> {
    const { credentials } = this.access;
    const [path, form] =
      credentials.kind === "identity"
        ? ["/oauth/token-exchange", { client_id: credentials.id, jwt: credentials.token }]
        : ["/oauth/token", clientForm(credentials)];
    const response = await this.send(path, { method: "POST", body: new URLSearchParams(form) });
    if (!response.ok) throw await refusal(response, "");
    const parsed = z
      .object({ access_token: z.string(), scope: z.string().nullish() })
      .safeParse(await jsonOf(response));
    if (parsed.success) {
      // A claim that is empty tells nothing.
      this.scopes = parsed.data.scope?.split(/\s+/).filter(Boolean);
      if (this.scopes?.length === 0) this.scopes = undefined;
      return parsed.data.access_token;
    }
    throw new TailnetApiError("the Tailscale API gave no access token", response.status);
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    const { host } = new URL(this.access.baseUrl);
    try {
      return await withPatience(() => {
        const signal = AbortSignal.timeout(this.deadline);
        return fetch(`${this.access.baseUrl}/api/v2${path}`, { ...init, signal });
      });
    } catch (error) {
      const why = reasonOf(error);
      throw new TailnetApiError(`the Tailscale API at ${host} cannot be reached: ${why}`, null);
    }
  }
}

function clientForm(credentials: ApiAccess["credentials"]): Record<string, string> {
  if (credentials.kind !== "oauth") return {};
  const { id, secret } = credentials;
  return { grant_type: "client_credentials", client_id: id, client_secret: secret };
}

async function jsonOf(response: Response): Promise<unknown> {
  return response.json().catch(() => null) as Promise<unknown>;
}

/** @param scope the right that the request takes, for the advice */
async function refusal(response: Response, scope: string): Promise<TailnetApiError> {
  const { status } = response;
  const body = z.object({ message: z.string() }).safeParse(await jsonOf(response));
  const said = body.success ? `: ${body.data.message.slice(0, 200)}` : "";
  switch (status) {
    case 401:
      return new TailnetApiError(`the Tailscale API refuses the credentials (401)${said}`, status);
    case 403: {
      const advice = scope === "" ? "" : `; the credentials need the scope ${scope}`;
      return new TailnetApiError(
        `the Tailscale API does not allow it (403)${said}${advice}`,
        status,
      );
    }
    default:
      return new TailnetApiError(`the Tailscale API answered ${status}${said}`, status);
  }
}

/** fetch wraps what went wrong. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === "TimeoutError") return "no answer in time";
  // The client's own codes tell nobody anything: "UND_ERR_SOCKET: other side closed".
  const code = cause?.code?.startsWith("UND_ERR") ? undefined : cause?.code;
  return code ?? cause?.message ?? "no answer";
}
