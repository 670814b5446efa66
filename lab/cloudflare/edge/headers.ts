import { type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { CREDENTIAL_HEADERS } from "./access";

/** Meant for one hop (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

function dropped(headers: IncomingHttpHeaders): Set<string> {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return new Set([...HOP_BY_HOP, ...named]);
}

/** Name and value in turns, as Node takes them: order and doubled headers stay. */
export type RawHeaders = string[];

function keep(message: IncomingMessage, without: ReadonlySet<string>): RawHeaders {
  const kept: RawHeaders = [];
  for (let at = 0; at < message.rawHeaders.length; at += 2) {
    const [name = "", value = ""] = message.rawHeaders.slice(at, at + 2);
    if (!without.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

/** What the origin sees of a request: who asked, and nothing that was meant for the edge. */
export function toOrigin(request: IncomingMessage, address: string, ray: string): RawHeaders {
  const own = ["cf-connecting-ip", "cf-ray", "cf-visitor", "x-forwarded-proto", "cdn-loop"];
  const without = new Set([
    ...dropped(request.headers),
    ...CREDENTIAL_HEADERS,
    ...own,
    "x-forwarded-for",
    "expect",
  ]);
  const before = request.headers["x-forwarded-for"];
  const forwarded = before === undefined ? address : `${String(before)},${address}`;
  const headers = keep(request, without);
  headers.push("X-Forwarded-For", forwarded, "X-Forwarded-Proto", "https");
  headers.push("Cf-Connecting-Ip", address, "Cf-Ray", ray, "Cf-Visitor", '{"scheme":"https"}');
  headers.push("Cdn-Loop", "cloudflare; loops=1");
  return headers;
}

/** What the visitor sees of an answer. */
export function toVisitor(answer: IncomingMessage, ray: string): RawHeaders {
  const without = new Set([...dropped(answer.headers), "server", "cf-ray"]);
  return [
    ...keep(answer, without),
    ...["Server", "cloudflare"],
    ...["Cf-Ray", ray],
    ...["Cf-Cache-Status", "DYNAMIC"],
  ];
}
