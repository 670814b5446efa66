import { setTimeout as sleep } from "node:timers/promises";
import { status as Code } from "@grpc/grpc-js";
import { ProviderError } from "../kit";

/** Times that a request is made again (cloudflare-go: internal/requestconfig, option.WithMaxRetries). */
const MAX_RETRIES = 10;
/** Milliseconds of the first pause, and of the longest. */
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 30_000;
/** A wait that the API asks for is kept to when it is shorter than this. */
const LONGEST_WISH = 60_000;

export interface ClientOptions {
  /** Ends in /client/v4. */
  readonly baseUrl: string;
  /** Headers that prove who asks. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Milliseconds that stand for the first pause of 2 s; all pauses are shortened with it. @default 2000 */
  readonly firstPause?: number;
}

export type Json = Record<string, unknown>;

/** An answer other than 2xx, in the official client's words: method, URL, status, body. */
export class ApiFailure extends ProviderError {
  constructor(
    method: string,
    url: string,
    readonly status: number,
    statusText: string,
    readonly body: string,
  ) {
    const answer = `${method} "${url}": ${status} ${statusText} ${body.trim()}`;
    super(`failed to make http request: ${answer}`, codeOf(status));
  }
}

/** A refusal says that nothing happened; whoever got no proper answer does not know. */
function codeOf(status: number): Code {
  if (status === 401) return Code.UNAUTHENTICATED;
  if (status === 403) return Code.PERMISSION_DENIED;
  if (status === 404) return Code.NOT_FOUND;
  if (status === 409) return Code.ALREADY_EXISTS;
  if (status === 429) return Code.RESOURCE_EXHAUSTED;
  return status < 500 ? Code.INVALID_ARGUMENT : Code.UNKNOWN;
}

function isWorthRetrying(response: Response): boolean {
  const wish = response.headers.get("x-should-retry");
  if (wish === "true" || wish === "false") return wish === "true";
  return [408, 409, 429].includes(response.status) || response.status >= 500;
}

/** Milliseconds that an answer asks to wait, undefined when it does not. */
export function wishOf(headers: Headers, now = Date.now()): number | undefined {
  const milliseconds = headers.get("retry-after-ms");
  const seconds = headers.get("retry-after");
  const wish =
    milliseconds !== null && milliseconds !== "" && !Number.isNaN(Number(milliseconds))
      ? Number(milliseconds)
      : seconds === null || seconds === ""
        ? undefined
        : Number.isNaN(Number(seconds))
          ? Date.parse(seconds) - now
          : Number(seconds) * 1000;
  return wish !== undefined && wish >= 0 && wish < LONGEST_WISH ? wish : undefined;
}

/** Milliseconds before the next attempt: 2, 4, 8 … 30 s, less up to a quarter. */
export function pauseBefore(retry: number, random = Math.random): number {
  const pause = Math.min(FIRST_PAUSE * 2 ** retry, LONGEST_PAUSE);
  return pause - random() * (pause / 4);
}

/** Talks to the API as the official provider's client does, its retries included. */
export class Client {
  constructor(private readonly options: ClientOptions) {}

  /** One result. @throws ApiFailure; ProviderError where nobody answered; the signal's reason */
  async call(method: string, path: string, signal: AbortSignal, body?: Json): Promise<Json> {
    return (await this.envelope(method, path, signal, body))["result"] as Json;
  }

  /** All entries of a list, page by page. */
  async list(path: string, signal: AbortSignal): Promise<Json[]> {
    const all: Json[] = [];
    for (let page = 1; ; page++) {
      const joint = path.includes("?") ? "&" : "?";
      const envelope = await this.envelope("GET", `${path}${joint}page=${page}`, signal);
      all.push(...(envelope["result"] as Json[]));
      const info = envelope["result_info"] as { total_pages?: number } | undefined;
      if (page >= (info?.total_pages ?? 1)) return all;
    }
  }

  private async envelope(
    method: string,
    path: string,
    signal: AbortSignal,
    body?: Json,
  ): Promise<Json> {
    const url = `${this.options.baseUrl.replace(/\/$/, "")}/${path}`;
    const response = await this.attempt(method, url, signal, body);
    const text = await response.text();
    if (!response.ok) {
      throw new ApiFailure(method, url, response.status, response.statusText, text);
    }
    try {
      return JSON.parse(text) as Json;
    } catch (error) {
      throw new ProviderError(`failed to deserialize http request: ${(error as Error).message}`);
    }
  }

  private async attempt(
    method: string,
    url: string,
    signal: AbortSignal,
    body?: Json,
  ): Promise<Response> {
    const init: RequestInit = {
      method,
      signal,
      headers: {
        ...this.options.credentials,
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    };
    const scale = (this.options.firstPause ?? FIRST_PAUSE) / FIRST_PAUSE;
    for (let retry = 0; ; retry++) {
      let wish: number | undefined;
      try {
        const response = await fetch(url, init);
        if (retry >= MAX_RETRIES || !isWorthRetrying(response)) return response;
        wish = wishOf(response.headers);
        await response.text();
      } catch (error) {
        signal.throwIfAborted();
        if (retry >= MAX_RETRIES) throw unreachable(method, url, error);
      }
      await sleep((wish ?? pauseBefore(retry)) * scale, undefined, { signal });
    }
  }
}

function unreachable(method: string, url: string, error: unknown): ProviderError {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  const why = cause?.message || cause?.code || message;
  return new ProviderError(`failed to make http request: ${method} "${url}": ${why}`);
}
