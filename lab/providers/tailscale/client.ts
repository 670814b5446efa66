import { type Settings } from "./settings";

/** Milliseconds for one request, as in the official client. */
const TIMEOUT = 60_000;

/** The API said no. The text ends with the status, as the official provider's does. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(`${message} (${status})`);
  }
}

export interface Call {
  readonly method?: "DELETE" | "GET" | "PATCH" | "POST" | "PUT";
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as HuJSON, byte for byte. */
  readonly hujson?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Speaks to the Tailscale API v2. Nothing is tried twice. */
export class Client {
  private token: { readonly value: string; readonly until: number } | undefined;

  constructor(readonly settings: Settings) {}

  /** A path below the tailnet's. Words are escaped. */
  tailnet(...words: string[]): string {
    return this.path("tailnet", this.settings.tailnet, ...words);
  }

  path(...words: string[]): string {
    return `/api/v2/${words.map(encodeURIComponent).join("/")}`;
  }

  /** The answer's JSON; undefined for an empty one. */
  async call<Answer>(path: string, call: Call): Promise<Answer> {
    const { text } = await this.send(path, call);
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }

  /**
   * The answer as text.
   * @throws ApiError for a status of 400 or above
   */
  async send(path: string, call: Call): Promise<{ readonly text: string; readonly etag: string }> {
    const headers = {
      ...(await this.authorization(call.signal)),
      ...(call.json !== undefined && { "content-type": "application/json" }),
      ...(call.hujson !== undefined && { "content-type": "application/hujson" }),
      ...call.headers,
    };
    const body = call.hujson ?? (call.json === undefined ? undefined : JSON.stringify(call.json));
    const response = await this.fetch(
      path,
      { method: call.method ?? "GET", headers, body },
      call.signal,
    );
    return { text: await response.text(), etag: response.headers.get("etag") ?? "" };
  }

  private async fetch(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const url = `${this.settings.baseUrl}${path}`;
    let response: Response;
    try {
      const signals = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
      response = await fetch(url, { ...init, signal: signals });
    } catch (error) {
      if (signal.aborted) throw error;
      throw new Error(`${init.method ?? "GET"} ${url}: ${reasonOf(error)}`);
    }
    if (response.status < 400) return response;
    throw new ApiError(messageOf(await response.text()) ?? `${url}: no message`, response.status);
  }

  private async authorization(signal: AbortSignal): Promise<{ authorization: string }> {
    const { credentials } = this.settings;
    if (credentials.kind === "api key") {
      const basic = Buffer.from(`${credentials.key}:`).toString("base64");
      return { authorization: `Basic ${basic}` };
    }
    if (!this.token || Date.now() > this.token.until) {
      const form = new URLSearchParams({
        grant_type: "client_credentials",
        client_id: credentials.id,
        client_secret: credentials.secret,
        ...(credentials.scopes.length > 0 && { scope: credentials.scopes.join(" ") }),
      });
      const response = await this.fetch(
        this.path("oauth", "token"),
        { method: "POST", body: form },
        signal,
      );
      const answer = (await response.json()) as { access_token: string; expires_in: number };
      // A minute before its end, so that it does not lapse on the way.
      const until = Date.now() + (answer.expires_in - 60) * 1000;
      this.token = { value: answer.access_token, until };
    }
    return { authorization: `Bearer ${this.token.value}` };
  }
}

/** The message of an error's body, with what failed in its tests; undefined when it is not the API's. */
export function messageOf(body: string): string | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { message, data } = (answer ?? {}) as {
    message?: unknown;
    data?: readonly { user?: string; errors?: readonly string[] }[];
  };
  if (typeof message !== "string") return undefined;
  const details = (data ?? []).map(({ user, errors }) => `${user}: ${(errors ?? []).join("; ")}`);
  return [message, ...details].join("\n  ");
}

/** Node's fetch hides what happened in a cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
