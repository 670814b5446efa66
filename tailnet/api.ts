/** What we ask the Tailscale API ourselves; everything that is made there is made by Pulumi's provider. */

import { z } from "zod";
import { type ApiAccess } from "./credentials";

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

export class TailnetApi {
  private authorization: Promise<string> | undefined;

  constructor(
    private readonly access: ApiAccess,
    private readonly deadline = DEADLINE_MS,
  ) {}

  /** Text of the policy file, as it stands. */
  async policy(): Promise<string> {
    const path = `/tailnet/${encodeURIComponent(this.access.tailnet)}/acl`;
    const response = await this.request("GET", path, "policy_file", "application/hujson");
    return response.text();
  }

  async devices(): Promise<Device[]> {
    const path = `/tailnet/${encodeURIComponent(this.access.tailnet)}/devices?fields=all`;
    const response = await this.request("GET", path, "devices:core");
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

  private async request(
    method: string,
    path: string,
    scope: string,
    accept = "application/json",
  ): Promise<Response> {
    const { credentials } = this.access;
    this.authorization ??=
      credentials.kind === "key"
        ? Promise.resolve(`Basic ${Buffer.from(`${credentials.key}:`).toString("base64")}`)
        : this.exchange().then((token) => `Bearer ${token}`);
    const headers = { accept, authorization: await this.authorization };
    const response = await this.send(path, { method, headers });
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
    const parsed = z.object({ access_token: z.string() }).safeParse(await jsonOf(response));
    if (parsed.success) return parsed.data.access_token;
    throw new TailnetApiError("the Tailscale API gave no access token", response.status);
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    const { host } = new URL(this.access.baseUrl);
    try {
      const signal = AbortSignal.timeout(this.deadline);
      return await fetch(`${this.access.baseUrl}/api/v2${path}`, { ...init, signal });
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
  return cause?.code ?? cause?.message ?? "no answer";
}
