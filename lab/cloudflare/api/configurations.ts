import { type Account } from "../account/account";
import { type Tunnel } from "../account/tunnels";
import { type Connectors } from "../edge/connectors";
import { ApiError, refuse } from "./errors";
import { type ApiRequest, type Route, route } from "./router";

const CATCH_ALL =
  "The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)";

/** Why connectors would not take a list of ingress rules (cloudflared: ingress/ingress.go); null when they would. */
export function whyNotIngress(ingress: unknown): string | null {
  if (!Array.isArray(ingress)) return "ingress must be a list of rules";
  const rules = ingress as { hostname?: unknown; path?: unknown; service?: unknown }[];
  for (const [index, rule] of rules.entries()) {
    const isLast = index === rules.length - 1;
    const hostname = typeof rule.hostname === "string" ? rule.hostname : "";
    const path = typeof rule.path === "string" ? rule.path : "";
    const matchesAll = (hostname === "" || hostname === "*") && path === "";
    if (isLast && !matchesAll) return CATCH_ALL;
    if (!isLast && matchesAll) {
      const [number, name] = [index + 1, hostname];
      return `Rule #${number} is matching the hostname '${name}', but this will match every hostname, meaning the rules which follow it will never be triggered.`;
    }
    if (hostname.includes(":")) return "Hostname cannot contain a port";
    if (hostname.lastIndexOf("*") > 0) {
      return 'Hostname patterns can have at most one wildcard character ("*") and it can only be used for subdomains, e.g. "*.example.com"';
    }
    const problem = whyNotService(rule.service) ?? whyNotPath(path, index);
    if (problem !== null) return problem;
  }
  return null;
}

function whyNotPath(path: string, index: number): string | null {
  try {
    new RegExp(path);
    return null;
  } catch {
    return `Rule #${index + 1} has an invalid regex`;
  }
}

function whyNotService(service: unknown): string | null {
  if (typeof service !== "string") return "a rule must have a service";
  const code = /^http_status:(.*)$/.exec(service)?.[1];
  if (code !== undefined) {
    const isCode = /^\d{3}$/.test(code) && Number(code) >= 100;
    return isCode ? null : `invalid HTTP status code: ${code}`;
  }
  if (service === "hello_world" || service.startsWith("unix:")) return null;
  const address = /^([a-z+]+):\/\/[^/]+(\/.*)?$/.exec(service);
  if (address === null) {
    return `${service} is an invalid address, please make sure it has a scheme and a hostname`;
  }
  if (address[2] === undefined) return null;
  return `${service} is an invalid address, ingress rules don't support proxying to a different path on the origin service. The path will be the same as the eyeball request's path`;
}

/** /accounts/:account/cfd_tunnel/:tunnel/configurations */
export function configurationRoutes(account: Account, connectors: Connectors): Route[] {
  const find = ({ params }: ApiRequest): Tunnel => {
    const tunnel = account.tunnels.get(params["tunnel"] ?? "");
    if (tunnel === undefined || tunnel.deletedAt !== null) {
      throw refuse(404, 1003, "Tunnel not found");
    }
    return tunnel;
  };
  const show = ({ id, configSrc, configuration }: Tunnel): { result: unknown } => ({
    result: {
      account_id: account.id,
      tunnel_id: id,
      version: configuration.version,
      config: configuration.config,
      source: configSrc,
      created_at: configuration.createdAt,
    },
  });
  const path = "/accounts/:account/cfd_tunnel/:tunnel/configurations";
  return [
    route("GET", path, "tunnel:read", (request) => show(find(request))),
    route("PUT", path, "tunnel:edit", (request) => {
      const tunnel = find(request);
      const config = request.body["config"];
      if (typeof config !== "object" || config === null) {
        throw refuse(400, 1055, "config must be an object");
      }
      const why = whyNotIngress((config as { ingress?: unknown }).ingress ?? []);
      if (why !== null) throw new ApiError(400, [{ code: 1056, message: why }]);
      tunnel.configuration = {
        version: tunnel.configuration.version + 1,
        config,
        createdAt: new Date().toISOString(),
      };
      connectors.pushConfiguration(tunnel);
      return show(tunnel);
    }),
  ];
}
