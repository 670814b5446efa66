import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { type ServerResponse } from "node:http";
import { type Duplex } from "node:stream";
import { type Connector } from "./connector";
import { type Connectors } from "./connectors";
import { type RawHeaders, toOrigin, toVisitor } from "./headers";
import { BAD_GATEWAY, NO_CONNECTOR, sendPage, TIMED_OUT } from "./pages";

/** Milliseconds that an origin has for the head of its answer (Cloudflare: 100 s, then error 524). */
const HEAD_TIMEOUT = 100_000;

export interface Forwarding {
  readonly request: IncomingMessage;
  readonly tunnelId: string;
  /** The visitor's address. */
  readonly address: string;
  readonly ray: string;
}

function start(forwarding: Forwarding, connector: Connector, extra: RawHeaders): ClientRequest {
  const { request, address, ray } = forwarding;
  return httpRequest({
    agent: connector.agent,
    host: connector.id,
    method: request.method,
    path: request.url,
    headers: [...toOrigin(request, address, ray), ...extra],
    setHost: false,
    timeout: HEAD_TIMEOUT,
  });
}

/** What says how the body ends, which is the hop's own affair. */
function framing({ headers }: IncomingMessage): RawHeaders {
  return headers["transfer-encoding"] === undefined ? [] : ["Transfer-Encoding", "chunked"];
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * Passes a request to one of the tunnel's connectors and its answer back, both as they come. A connector that is gone
 * before it got anything of the request is no answer: another one is asked.
 */
export function forward(
  connectors: Connectors,
  forwarding: Forwarding,
  response: ServerResponse,
): void {
  const { request, tunnelId, ray } = forwarding;
  const tried = new Set<Connector>();
  const attempt = (): void => {
    const connector = connectors.pick(tunnelId, tried);
    if (connector === undefined) {
      sendPage(response, tried.size === 0 ? NO_CONNECTOR : BAD_GATEWAY, ray);
      return;
    }
    tried.add(connector);
    const upstream = start(forwarding, connector, framing(request));
    let isConnected = false;
    upstream.once("socket", (socket) => {
      isConnected = true;
      socket.setNoDelay?.(true);
      if (hasBody(request)) request.pipe(upstream);
      else upstream.end();
    });
    upstream.on("timeout", () => {
      sendPage(response, TIMED_OUT, ray);
      upstream.destroy();
    });
    upstream.on("response", (answer) => {
      upstream.setTimeout(0);
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, toVisitor(answer, ray));
      // The head goes at once: an event stream may have nothing to say for a while.
      response.flushHeaders();
      answer.pipe(response);
      answer.on("error", () => response.destroy());
      answer.on("aborted", () => response.destroy());
    });
    upstream.on("error", () => {
      // A connection that was kept open may have been closed while the request was on its way.
      const isStale = upstream.reusedSocket && !hasBody(request);
      if (response.headersSent || response.destroyed) response.destroy();
      else if (!isConnected || isStale) {
        if (isStale) tried.delete(connector);
        attempt();
      } else sendPage(response, BAD_GATEWAY, ray);
    });
    response.once("close", () => {
      if (!response.writableFinished) upstream.destroy();
    });
  };
  attempt();
}

/** Passes a request for another protocol (WebSocket) on; after the 101 both ends talk freely. */
export function forwardUpgrade(
  connectors: Connectors,
  forwarding: Forwarding,
  visitor: Duplex,
  head: Buffer,
): void {
  const { request, tunnelId, ray } = forwarding;
  const fail = (status: number, text: string): void => {
    visitor.end(`HTTP/1.1 ${status} ${text}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  };
  const connector = connectors.pick(tunnelId);
  if (connector === undefined) return fail(530, "");
  const upgrade = String(request.headers.upgrade);
  const upstream = start(forwarding, connector, ["Connection", "Upgrade", "Upgrade", upgrade]);
  upstream.setTimeout(0);
  upstream.on("upgrade", (answer, socket, first) => {
    const lines = [
      `HTTP/1.1 101 Switching Protocols`,
      "Connection: Upgrade",
      `Upgrade: ${upgrade}`,
    ];
    const raw = toVisitor(answer, ray);
    for (let at = 0; at < raw.length; at += 2) lines.push(`${raw[at]}: ${raw[at + 1]}`);
    visitor.write(`${lines.join("\r\n")}\r\n\r\n`);
    visitor.write(first);
    socket.write(head);
    visitor.pipe(socket).pipe(visitor);
    for (const [one, other] of [
      [visitor, socket],
      [socket, visitor],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  upstream.on("response", (answer) => {
    answer.resume();
    fail(answer.statusCode ?? 502, answer.statusMessage ?? "");
  });
  upstream.on("error", () => fail(502, "Bad Gateway"));
  visitor.on("error", () => upstream.destroy());
  upstream.end();
}
