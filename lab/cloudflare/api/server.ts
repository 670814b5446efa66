import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Account } from "../account/account";
import { may } from "../account/tokens";
import { type Connectors } from "../edge/connectors";
import { AdminServer } from "./admin";
import { applicationRoutes } from "./applications";
import { authenticate } from "./authentication";
import { configurationRoutes } from "./configurations";
import { failure, success } from "./envelope";
import { ApiError, malformed, noRoute, notAllowed, refuse } from "./errors";
import { type Fault, Faults } from "./faults";
import { Journal } from "./journal";
import { policyRoutes } from "./policies";
import { RateLimit } from "./rateLimit";
import { recordRoutes } from "./records";
import { type Answer, findRoute, type Route, route } from "./router";
import { serviceTokenRoutes } from "./serviceTokens";
import { tunnelRoutes } from "./tunnels";
import { zoneRoutes } from "./zones";

const PREFIX = "/client/v4";
const LARGEST_BODY = 1024 * 1024;

interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ApiServer {
  readonly server: Server;
  readonly faults: Faults;
  readonly journal: Journal;
}

/** The API under /client/v4, and what steers it under /lab. */
export function apiServer(account: Account, connectors: Connectors): ApiServer {
  const faults = new Faults();
  const journal = new Journal();
  const limit = new RateLimit(() => account.limits.requests);
  const routes: Route[] = [
    route("GET", "/user/tokens/verify", null, () => ({
      result: { id: account.id, status: "active" },
    })),
    ...zoneRoutes(account),
    ...recordRoutes(account),
    ...tunnelRoutes(account, connectors),
    ...configurationRoutes(account, connectors),
    ...applicationRoutes(account),
    ...policyRoutes(account),
    ...serviceTokenRoutes(account),
  ];
  const admin = new AdminServer(account, connectors, faults, journal, limit);

  const answerApi = async (request: IncomingMessage, url: URL): Promise<Reply | null> => {
    const path = url.pathname.slice(PREFIX.length);
    const method = request.method ?? "GET";
    const fault = faults.take(method, path);
    const isDone = fault?.kind === "after" || fault?.kind === "lost";
    if (fault !== undefined && !isDone) return refusal(fault, request);
    try {
      const wait = limit.take();
      if (wait > 0) {
        const message = "Please wait and consider throttling your request speed";
        throw new ApiError(429, [{ code: 971, message }], { "retry-after": String(wait) });
      }
      const token = authenticate(request.headers, account.tokens);
      const found = findRoute(routes, method, path);
      if (found === null) throw noRoute(path);
      if (found === "method") {
        throw refuse(405, 10405, "Method not allowed for this authentication scheme");
      }
      const { route: target, params } = found;
      if (target.needs !== null && !may(token, target.needs)) throw notAllowed();
      if ((params["account"] ?? account.id) !== account.id) throw notAllowed();
      const body = await readBody(request);
      const answer: Answer = target.handle({ params, query: url.searchParams, body });
      if (fault !== undefined) return refusal(fault, request);
      return { status: 200, body: success(answer, url.searchParams) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { status: error.status, body: failure(error.errors), headers: error.headers };
    }
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://api");
    if (!url.pathname.startsWith(`${PREFIX}/`)) {
      send(response, await admin.answer(request.method ?? "GET", url, () => readBody(request)));
      return;
    }
    const reply = await answerApi(request, url);
    const path = url.pathname.slice(PREFIX.length) + url.search;
    journal.add(request.method ?? "GET", path, reply?.status ?? 0);
    if (reply !== null) send(response, reply);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      const message = error instanceof ApiError ? error.message : String(error);
      const status = error instanceof ApiError ? error.status : 500;
      send(response, { status, body: failure([{ code: 1000, message }]) });
    });
  });
  return { server, faults, journal };
}

/** Null when there is to be no answer. */
function refusal(fault: Fault, request: IncomingMessage): Reply | null {
  if (fault.kind === "drop") request.socket.destroy();
  if (fault.kind === "drop" || fault.kind === "hang" || fault.kind === "lost") return null;
  return { status: fault.status, body: failure(fault.errors), headers: fault.headers };
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** @throws ApiError for what is no JSON object */
async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > LARGEST_BODY) throw refuse(413, 1003, "request body is too large");
    chunks.push(chunk as Buffer);
  }
  if (size === 0) return {};
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw malformed("could not parse the request body");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw malformed("the request body must be an object");
  }
  return body as Record<string, unknown>;
}
