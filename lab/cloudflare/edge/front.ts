import { randomBytes } from "node:crypto";
import { type IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import { createSecureContext, type SecureContext } from "node:tls";
import { type Account } from "../account/account";
import { recordsFor } from "../account/records";
import { TUNNEL_DOMAIN } from "../names";
import { applicationFor, judge, serviceTokenOf } from "./access";
import { type Connectors } from "./connectors";
import { forward, forwardUpgrade } from "./forward";
import { FORBIDDEN, login, NO_ORIGIN, NO_RECORD, type Page, sendPage } from "./pages";

/** Milliseconds that an idle connection of a visitor is kept. */
const IDLE = 400_000;

export interface EdgeCertificate {
  readonly key: string;
  readonly cert: string;
  /** Whether a name is one that the certificate is for; for others there is no handshake. */
  covers(name: string): boolean;
}

type Target = { readonly tunnelId: string } | { readonly page: Page };

/** The tunnel that a request goes to, or the page that answers it. */
function targetOf(account: Account, host: string): Target {
  const proxied = recordsFor(account, host).filter((record) => record.proxied);
  if (proxied.length === 0) return { page: NO_RECORD };
  const suffix = `.${TUNNEL_DOMAIN}`;
  const content = proxied.find((record) => record.content.endsWith(suffix))?.content;
  const tunnel = account.tunnels.get(content?.slice(0, -suffix.length) ?? "");
  if (tunnel === undefined || tunnel.deletedAt !== null) return { page: NO_ORIGIN };
  return { tunnelId: tunnel.id };
}

/** Where a request goes after Access has had its say. */
function decide(account: Account, request: IncomingMessage, host: string): Target {
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  const application = applicationFor(account, host, path);
  const token = serviceTokenOf(account, request.headers);
  const address = request.socket.remoteAddress ?? "";
  const verdict = judge(account, application, { token, address });
  if (verdict === "denied") return { page: FORBIDDEN };
  if (verdict === "login") return { page: login(host, application?.aud ?? "", path) };
  if (verdict === "pass" && token !== undefined) token.lastSeenAt = new Date().toISOString();
  return targetOf(account, host);
}

const hostOf = (request: IncomingMessage): string =>
  (request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();

/** HTTPS for the account's zones. */
export function edgeServer(
  account: Account,
  connectors: Connectors,
  certificate: EdgeCertificate,
): Server {
  const context = createSecureContext({ key: certificate.key, cert: certificate.cert });
  const options = {
    key: certificate.key,
    cert: certificate.cert,
    minVersion: "TLSv1.2" as const,
    ALPNProtocols: ["http/1.1"],
    keepAliveTimeout: IDLE,
    requestTimeout: 0,
    SNICallback: (
      name: string,
      callback: (error: Error | null, context?: SecureContext) => void,
    ): void => {
      if (certificate.covers(name)) callback(null, context);
      else callback(new Error(`no certificate for ${name}`));
    },
  };
  const newRay = (): string => `${randomBytes(8).toString("hex")}-LAB`;

  const server = createServer(options, (request, response) => {
    const ray = newRay();
    request.socket.setNoDelay(true);
    response.on("error", () => response.destroy());
    const target = decide(account, request, hostOf(request));
    if ("page" in target) {
      sendPage(response, target.page, ray);
      // A body that nobody will read must not stand in the way of the next request.
      request.resume();
      return;
    }
    const address = request.socket.remoteAddress ?? "";
    forward(connectors, { request, tunnelId: target.tunnelId, address, ray }, response);
  });
  server.on("upgrade", (request: IncomingMessage, socket, head: Buffer) => {
    const target = decide(account, request, hostOf(request));
    if ("page" in target) {
      socket.end(`HTTP/1.1 ${target.page.status} \r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const address = request.socket.remoteAddress ?? "";
    const forwarding = { request, tunnelId: target.tunnelId, address, ray: newRay() };
    forwardUpgrade(connectors, forwarding, socket, head);
  });
  server.on("tlsClientError", (_, socket) => socket.destroy());
  return server;
}
