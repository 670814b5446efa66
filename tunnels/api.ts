/**
 * The few calls of Cloudflare's API that no resource makes: looking before anything is registered, and cleaning up.
 * Pages: developers.cloudflare.com/api/resources/zero_trust/subresources/tunnels, …/dns/subresources/records.
 */

export interface ApiCredentials {
  /** With `/client/v4`. */
  readonly baseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const DEFAULT_BASE_URL = "https://api.cloudflare.com/client/v4";

/** What Cloudflare said no with, in one sentence. */
export class CloudflareError extends Error {
  constructor(
    message: string,
    /** HTTP status; 0 when nothing answered. */
    readonly status: number,
  ) {
    super(message);
  }
}

interface Envelope<T> {
  readonly success?: boolean;
  readonly errors?: readonly { readonly code?: number; readonly message?: string }[];
  readonly result?: T;
  readonly result_info?: { readonly total_pages?: number };
}

const TRIES = 3;
const PAUSE_MS = 1000;
/** One call; Cloudflare answers in well under a second. */
const DEADLINE_MS = 15_000;
const PAGE_SIZE = 100;
const MAX_PAGES = 200;

export interface FoundTunnel {
  readonly id: string;
  readonly name: string;
  readonly config_src?: string;
  readonly deleted_at?: string | null;
}

export interface FoundRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly comment?: string | null;
  readonly proxied?: boolean;
}

export type AccessKind = "service_tokens" | "policies";

export class CloudflareApi {
  constructor(
    private readonly credentials: ApiCredentials,
    private readonly pause = PAUSE_MS,
  ) {}

  /** @returns undefined where the token sees no such zone */
  async zoneId(zone: string): Promise<string | undefined> {
    const path = `zones?name=${encodeURIComponent(zone)}`;
    const zones = await this.call<{ id: string; name: string }[]>("GET", path);
    return zones.find(({ name }) => name === zone)?.id;
  }

  /** Tunnels that are not deleted. */
  tunnels(account: string): Promise<FoundTunnel[]> {
    return this.list<FoundTunnel>(`accounts/${account}/cfd_tunnel?is_deleted=false`);
  }

  records(zone: string): Promise<FoundRecord[]> {
    return this.list<FoundRecord>(`zones/${zone}/dns_records`);
  }

  /** Service tokens or policies of Access. */
  access(account: string, kind: AccessKind): Promise<{ id: string; name: string }[]> {
    return this.list(`accounts/${account}/access/${kind}`);
  }

  async deleteAccess(account: string, kind: AccessKind, id: string): Promise<void> {
    await this.call("DELETE", `accounts/${account}/access/${kind}/${id}`);
  }

  tunnel(account: string, id: string): Promise<FoundTunnel> {
    return this.call<FoundTunnel>("GET", `accounts/${account}/cfd_tunnel/${id}`);
  }

  tunnelToken(account: string, id: string): Promise<string> {
    return this.call<string>("GET", `accounts/${account}/cfd_tunnel/${id}/token`);
  }

  async editTunnel(
    account: string,
    id: string,
    change: { readonly name: string; readonly tunnel_secret: string },
  ): Promise<void> {
    await this.call("PATCH", `accounts/${account}/cfd_tunnel/${id}`, change);
  }

  async editRecord(zone: string, id: string, change: object): Promise<void> {
    await this.call("PATCH", `zones/${zone}/dns_records/${id}`, change);
  }

  /** Closes connections of connectors that are gone, without which the tunnel cannot be deleted (code 1022). */
  async dropConnections(account: string, id: string): Promise<void> {
    await this.call("DELETE", `accounts/${account}/cfd_tunnel/${id}/connections`);
  }

  private async list<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    for (let page = 1; page <= MAX_PAGES; page++) {
      const query = `${path}${path.includes("?") ? "&" : "?"}page=${page}&per_page=${PAGE_SIZE}`;
      const { result, result_info } = await this.send<T[]>("GET", query);
      found.push(...(result ?? []));
      const isLast = result_info?.total_pages === undefined || page >= result_info.total_pages;
      if (isLast || (result ?? []).length === 0) break;
    }
    return found;
  }

  private async call<T>(method: string, path: string, body?: object): Promise<T> {
    return (await this.send<T>(method, path, body)).result as T;
  }

  private async send<T>(method: string, path: string, body?: object): Promise<Envelope<T>> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.attempt<T>(method, path, body);
      if (!(answer instanceof CloudflareError)) return answer;
      const isPassing = answer.status === 0 || answer.status === 429 || answer.status >= 500;
      if (!isPassing || attempt >= TRIES) throw answer;
      await new Promise((resolve) => setTimeout(resolve, this.pause * attempt));
    }
  }

  private async attempt<T>(
    method: string,
    path: string,
    body: object | undefined,
  ): Promise<Envelope<T> | CloudflareError> {
    const { baseUrl, headers } = this.credentials;
    try {
      const response = await fetch(`${baseUrl.replace(/\/$/, "")}/${path}`, {
        method,
        headers: { ...headers, "Content-Type": "application/json" },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      const text = await response.text();
      const envelope = parseEnvelope<T>(text);
      if (response.ok && envelope?.success === true) return envelope;
      return refusal(response, envelope, path);
    } catch (error) {
      const cause = (error as { cause?: { code?: string } }).cause?.code;
      const why = cause ?? (error instanceof Error ? error.message : String(error));
      return new CloudflareError(`Cloudflare's API cannot be reached (${why})`, 0);
    }
  }
}

function parseEnvelope<T>(text: string): Envelope<T> | undefined {
  try {
    return JSON.parse(text) as Envelope<T>;
  } catch {
    return undefined;
  }
}

/** What a token needs for what the program makes, in the words of Cloudflare's dashboard. */
const RIGHTS =
  "Account: Cloudflare Tunnel Edit, Access: Apps and Policies Edit, Access: Service Tokens Edit; Zone: DNS Edit, Zone Read";

function refusal(
  response: Response,
  envelope: Envelope<unknown> | undefined,
  path: string,
): CloudflareError {
  const { status } = response;
  const what = path.replace(/\?.*$/, "");
  const told = (envelope?.errors ?? []).map(
    ({ code, message }) => `${String(message).slice(0, 200)} (code ${code})`,
  );
  const words = told.length > 0 ? `: ${told.join("; ")}` : "";
  const error = (text: string) => new CloudflareError(text, status);
  if (status === 401)
    return error(`Cloudflare does not take the API token (401${words}): set cloudflare:apiToken`);
  if (status === 403)
    return error(`the API token may not use ${what} (403${words}): it needs ${RIGHTS}`);
  if (status === 429) {
    const seconds = response.headers.get("retry-after");
    const when = seconds === null ? "in five minutes" : `in ${seconds} s`;
    return error(`Cloudflare takes no more calls for now (429${words}): run again ${when}`);
  }
  if (status >= 500)
    return error(`Cloudflare's API fails at ${what} (${status}${words}): run again later`);
  return error(`Cloudflare refuses ${what} (${status}${words})`);
}
