import { randomBytes, randomUUID } from "node:crypto";
import { type Account } from "../account/account";
import { type Tunnel, tunnelToken } from "../account/tunnels";
import { type ConnectionView, type Connectors } from "../edge/connectors";
import { malformed, refuse } from "./errors";
import { optionalText, text } from "./fields";
import { type ApiRequest, type Route, route } from "./router";

/** 45 connectors of one tunnel is more than it may have; its state is told by how many connections there are. */
function statusOf(tunnel: Tunnel, connections: readonly ConnectionView[]): string {
  if (connections.length === 0) return tunnel.activeAt === null ? "inactive" : "down";
  const connectors = new Set(connections.map(({ client_id }) => client_id)).size;
  return connections.length < 4 * connectors ? "degraded" : "healthy";
}

/** A tunnel as the API shows it. */
export function showTunnel(
  accountId: string,
  tunnel: Tunnel,
  connections: readonly ConnectionView[],
): Record<string, unknown> {
  return {
    id: tunnel.id,
    account_tag: accountId,
    created_at: tunnel.createdAt,
    deleted_at: tunnel.deletedAt,
    name: tunnel.name,
    connections,
    conns_active_at: connections.length > 0 ? tunnel.activeAt : null,
    conns_inactive_at: connections.length > 0 ? null : tunnel.inactiveAt,
    tun_type: "cfd_tunnel",
    metadata: {},
    status: statusOf(tunnel, connections),
    remote_config: tunnel.configSrc === "cloudflare",
    config_src: tunnel.configSrc,
  };
}

/** A tunnel's secret: base64 of at least 32 bytes. @throws ApiError */
function readSecret(body: ApiRequest["body"]): string | undefined {
  const secret = optionalText(body, "tunnel_secret");
  if (secret === undefined) return undefined;
  const bytes = Buffer.from(secret, "base64");
  if (bytes.length < 32 || bytes.toString("base64") !== secret) {
    throw malformed("tunnel_secret must be a base64 encoded string of at least 32 bytes");
  }
  return secret;
}

/** /accounts/:account/cfd_tunnel */
export function tunnelRoutes(account: Account, connectors: Connectors): Route[] {
  const show = (tunnel: Tunnel): { result: unknown } => ({
    result: showTunnel(account.id, tunnel, connectors.connectionsOf(tunnel.id)),
  });
  const find = (request: ApiRequest): Tunnel => {
    const tunnel = account.tunnels.get(request.params["tunnel"] ?? "");
    if (tunnel === undefined) throw refuse(404, 1003, "Tunnel not found");
    return tunnel;
  };
  const findLive = (request: ApiRequest): Tunnel => {
    const tunnel = find(request);
    if (tunnel.deletedAt !== null) throw refuse(404, 1003, "Tunnel not found");
    return tunnel;
  };
  const live = (): Tunnel[] =>
    [...account.tunnels.values()].filter(({ deletedAt }) => deletedAt === null);
  const assertFree = (name: string, own?: Tunnel): void => {
    if (!live().some((tunnel) => tunnel.name === name && tunnel !== own)) return;
    const advice = "Delete the existing tunnel, or choose a different name for your new tunnel";
    throw refuse(409, 1013, `You already have a tunnel with this name. ${advice}`);
  };

  const base = "/accounts/:account/cfd_tunnel";
  const one = `${base}/:tunnel`;
  return [
    route("GET", base, "tunnel:read", ({ query }) => {
      const isDeleted = query.get("is_deleted");
      const list = [...account.tunnels.values()]
        .filter(({ deletedAt }) => isDeleted === null || `${deletedAt !== null}` === isDeleted)
        .filter(({ name }) => (query.get("name") ?? name) === name)
        .filter(({ name }) => name.startsWith(query.get("include_prefix") ?? ""))
        .filter(({ id }) => (query.get("uuid") ?? id) === id)
        .map((tunnel) => show(tunnel).result as { status: string })
        .filter(({ status }) => (query.get("status") ?? status) === status);
      return { list, perPage: 20 };
    }),

    route("POST", base, "tunnel:edit", ({ body }) => {
      const name = text(body, "name");
      const source = optionalText(body, "config_src") ?? "local";
      if (source !== "local" && source !== "cloudflare") {
        throw malformed('config_src must be "local" or "cloudflare"');
      }
      const secret = readSecret(body) ?? randomBytes(32).toString("base64");
      assertFree(name);
      if (live().length >= account.limits.tunnels) {
        throw refuse(403, 1014, "You have reached the limit of tunnels for your account");
      }
      const now = new Date().toISOString();
      const tunnel: Tunnel = {
        id: randomUUID(),
        name,
        configSrc: source,
        secret,
        createdAt: now,
        deletedAt: null,
        activeAt: null,
        inactiveAt: now,
        configuration: { version: 0, config: null, createdAt: now },
      };
      account.tunnels.set(tunnel.id, tunnel);
      return show(tunnel);
    }),

    // A deleted one is still shown, with the time of its end.
    route("GET", one, "tunnel:read", (request) => show(find(request))),

    route("PATCH", one, "tunnel:edit", (request) => {
      const tunnel = findLive(request);
      const name = optionalText(request.body, "name");
      const secret = readSecret(request.body);
      if (name !== undefined) assertFree(name, tunnel);
      tunnel.name = name ?? tunnel.name;
      tunnel.secret = secret ?? tunnel.secret;
      return show(tunnel);
    }),

    route("DELETE", one, "tunnel:edit", (request) => {
      const tunnel = find(request);
      if (tunnel.deletedAt !== null) return show(tunnel);
      const isRunning = connectors.connectionsOf(tunnel.id).length > 0;
      if (isRunning && request.query.get("cascade") !== "true") {
        throw refuse(400, 1022, "Cannot delete tunnel because it has active connections");
      }
      tunnel.deletedAt = new Date().toISOString();
      connectors.disconnect(tunnel.id);
      return show(tunnel);
    }),

    route("GET", `${one}/token`, "tunnel:edit", (request) => ({
      result: tunnelToken(account.id, findLive(request)),
    })),

    route("GET", `${one}/connections`, "tunnel:read", (request) => ({
      result: connectors.clientsOf(find(request).id),
    })),

    // Running connectors come back by themselves, unless their tunnel is gone.
    route("DELETE", `${one}/connections`, "tunnel:edit", (request) => {
      connectors.disconnect(findLive(request).id, request.query.get("client_id") ?? undefined);
      return { result: null };
    }),
  ];
}
