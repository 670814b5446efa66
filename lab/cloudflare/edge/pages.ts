import { type ServerResponse } from "node:http";

/** What the edge answers by itself. */
export interface Page {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const plain = (status: number, body: string): Page => ({ status, body });

/** The tunnel has no connector: Cloudflare's error 1033, which comes as status 530. */
export const NO_CONNECTOR = plain(530, "error code: 1033\n");
/** The record points where the lab has nothing: error 1016. */
export const NO_ORIGIN = plain(530, "error code: 1016\n");
/** No record has this name; see docs/lab.md. */
export const NO_RECORD = plain(404, "error code: 1001\n");
export const BAD_GATEWAY = plain(502, "error code: 502\n");
export const TIMED_OUT = plain(524, "error code: 524\n");
export const FORBIDDEN: Page = {
  status: 403,
  headers: { "content-type": "text/html" },
  body: "<!DOCTYPE html><title>Forbidden</title><h1>Forbidden</h1><p>You don't have permission to view this.</p>\n",
};

/** Where a browser would be sent to log in; nobody answers there. */
export function login(host: string, aud: string, path: string): Page {
  const query = new URLSearchParams({ kid: aud, redirect_url: path });
  const location = `https://lab.cloudflareaccess.com/cdn-cgi/access/login/${host}?${query}`;
  return { status: 302, body: "", headers: { location } };
}

export function sendPage(response: ServerResponse, page: Page, ray: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(page.status, {
    "content-type": "text/plain; charset=UTF-8",
    "content-length": Buffer.byteLength(page.body),
    "cache-control": "private, max-age=0, no-store",
    server: "cloudflare",
    "cf-ray": ray,
    ...page.headers,
  });
  response.end(page.body);
}
