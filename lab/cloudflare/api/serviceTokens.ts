import { randomBytes, randomUUID } from "node:crypto";
import { type ServiceToken } from "../account/access";
import { type Account } from "../account/account";
import { malformed, refuse } from "./errors";
import { duration, optionalText, text } from "./fields";
import { type ApiRequest, type Route, route } from "./router";

const newSecret = (): string => randomBytes(32).toString("hex");

function expiry(value: string, now: number): number | null {
  const length = duration(value, "duration");
  return length === null ? null : now + length;
}

function showToken(token: ServiceToken): Record<string, unknown> {
  return {
    id: token.id,
    name: token.name,
    client_id: token.clientId,
    duration: token.duration,
    enabled: token.enabled,
    client_secret_version: token.secretVersion,
    previous_client_secret_expires_at:
      token.previous === null ? null : new Date(token.previous.expiresAt).toISOString(),
    expires_at: token.expiresAt === null ? null : new Date(token.expiresAt).toISOString(),
    last_seen_at: token.lastSeenAt,
    created_at: token.createdAt,
    updated_at: token.updatedAt,
  };
}

/** When the secret before this one stops being taken: at once, unless the request says when. */
function readPreviousExpiry(body: ApiRequest["body"]): number | undefined {
  const given = optionalText(body, "previous_client_secret_expires_at");
  if (given === undefined) return undefined;
  const at = Date.parse(given);
  if (Number.isNaN(at)) throw malformed("previous_client_secret_expires_at must be a time");
  return at;
}

function rotate(token: ServiceToken, previousExpiresAt: number | undefined): void {
  token.previous =
    previousExpiresAt === undefined
      ? null
      : { secret: token.clientSecret, expiresAt: previousExpiresAt };
  token.clientSecret = newSecret();
}

/** /accounts/:account/access/service_tokens */
export function serviceTokenRoutes(account: Account): Route[] {
  const find = ({ params }: ApiRequest): ServiceToken => {
    const token = account.serviceTokens.get(params["token"] ?? "");
    if (token === undefined) {
      throw refuse(404, 11032, "access.api.error.service_token_not_found");
    }
    return token;
  };
  const withSecret = (token: ServiceToken): { result: unknown } => ({
    result: { ...showToken(token), client_secret: token.clientSecret },
  });
  const base = "/accounts/:account/access/service_tokens";
  const one = `${base}/:token`;
  return [
    route("GET", base, "access:read", ({ query }) => {
      const list = [...account.serviceTokens.values()].filter(
        ({ name }) => (query.get("name") ?? name) === name,
      );
      return { list: list.map(showToken), perPage: 25 };
    }),

    route("POST", base, "access:edit", ({ body }) => {
      const name = text(body, "name");
      const length = optionalText(body, "duration") ?? "8760h";
      const expiresAt = expiry(length, Date.now());
      if (account.serviceTokens.size >= account.limits.serviceTokens) {
        throw refuse(400, 12130, "access.api.error.invalid_request: too many service tokens");
      }
      const now = new Date().toISOString();
      const token: ServiceToken = {
        id: randomUUID(),
        name,
        clientId: `${randomBytes(16).toString("hex")}.access`,
        clientSecret: newSecret(),
        secretVersion: Number(body["client_secret_version"] ?? 1),
        previous: null,
        duration: length,
        expiresAt,
        enabled: body["enabled"] !== false,
        createdAt: now,
        updatedAt: now,
        lastSeenAt: null,
      };
      account.serviceTokens.set(token.id, token);
      return withSecret(token);
    }),

    route("GET", one, "access:read", (request) => ({ result: showToken(find(request)) })),

    // A higher version makes a new secret; the old one is taken until the time that the request names.
    route("PUT", one, "access:edit", (request) => {
      const token = find(request);
      const { body } = request;
      const length = optionalText(body, "duration") ?? token.duration;
      const version = Number(body["client_secret_version"] ?? token.secretVersion);
      const previousExpiresAt = readPreviousExpiry(body);
      if (version < token.secretVersion) throw malformed("client_secret_version cannot go back");
      const isRotation = version > token.secretVersion;
      token.name = optionalText(body, "name") ?? token.name;
      if (length !== token.duration) {
        token.expiresAt = expiry(length, Date.parse(token.createdAt));
        token.duration = length;
      }
      if (typeof body["enabled"] === "boolean") token.enabled = body["enabled"];
      if (isRotation) rotate(token, previousExpiresAt);
      else if (token.previous !== null && previousExpiresAt !== undefined) {
        token.previous.expiresAt = previousExpiresAt;
      }
      token.secretVersion = version;
      token.updatedAt = new Date().toISOString();
      return isRotation ? withSecret(token) : { result: showToken(token) };
    }),

    route("POST", `${one}/rotate`, "access:edit", (request) => {
      const token = find(request);
      rotate(token, readPreviousExpiry(request.body));
      token.secretVersion += 1;
      token.updatedAt = new Date().toISOString();
      return withSecret(token);
    }),

    route("POST", `${one}/refresh`, "access:edit", (request) => {
      const token = find(request);
      token.expiresAt = expiry(token.duration, Date.now());
      token.updatedAt = new Date().toISOString();
      return { result: showToken(token) };
    }),

    route("DELETE", one, "access:edit", (request) => {
      const token = find(request);
      account.serviceTokens.delete(token.id);
      return { result: showToken(token) };
    }),
  ];
}
