import { readFileSync } from "node:fs";
import { isMap, type ValueMap } from "../../wire";

/** How the provider gets into the API. */
export interface Settings {
  /** Scheme and host, without a path. */
  readonly baseUrl: string;
  /** `-` for the tailnet that the credentials belong to. */
  readonly tailnet: string;
  readonly credentials:
    | { readonly kind: "api key"; readonly key: string }
    | {
        readonly kind: "oauth";
        readonly id: string;
        readonly secret: string;
        readonly scopes: readonly string[];
      };
}

/**
 * Reads the provider's configuration, each value from the stack or else from the environment; a secret that starts
 * with `file:` is read from that file.
 * @throws Error without credentials, or with two kinds of them
 */
export function readSettings(inputs: ValueMap, env: NodeJS.ProcessEnv): Settings {
  const text = (key: string, ...variables: string[]): string => {
    const given = inputs[key];
    if (typeof given === "string" && given !== "") return given;
    return variables.map((variable) => env[variable]).find((value) => value) ?? "";
  };
  const secret = (key: string, ...variables: string[]): string => {
    const value = text(key, ...variables);
    return value.startsWith("file:")
      ? readFileSync(value.slice("file:".length), "utf8").trim()
      : value;
  };
  const key = secret("apiKey", "TAILSCALE_API_KEY");
  const id = secret("oauthClientId", "TAILSCALE_OAUTH_CLIENT_ID", "OAUTH_CLIENT_ID");
  const clientSecret = secret(
    "oauthClientSecret",
    "TAILSCALE_OAUTH_CLIENT_SECRET",
    "OAUTH_CLIENT_SECRET",
  );
  if (text("identityToken", "TAILSCALE_IDENTITY_TOKEN")) {
    throw new Error(
      "tailscale: an identity token is not supported here; use apiKey or an OAuth client",
    );
  }
  if (key && (id || clientSecret)) {
    throw new Error(
      "tailscale: set either apiKey or oauthClientId and oauthClientSecret, not both",
    );
  }
  if (!key && !(id && clientSecret)) {
    throw new Error(
      "tailscale: no credentials. Set apiKey, or oauthClientId and oauthClientSecret " +
        "(TAILSCALE_API_KEY, TAILSCALE_OAUTH_CLIENT_ID, TAILSCALE_OAUTH_CLIENT_SECRET)",
    );
  }
  const baseUrl = text("baseUrl", "TAILSCALE_BASE_URL") || "https://api.tailscale.com";
  return {
    baseUrl: baseUrl.replace(/\/+$/, ""),
    tailnet: text("tailnet", "TAILSCALE_TAILNET") || "-",
    credentials: key
      ? { kind: "api key", key }
      : { kind: "oauth", id, secret: clientSecret, scopes: scopesOf(inputs) },
  };
}

/** A list, or its JSON text: that is how a provider resource sends what is no string. */
function scopesOf(inputs: ValueMap): string[] {
  const given = inputs["scopes"];
  const list: unknown =
    typeof given === "string" && given !== "" ? (JSON.parse(given) as unknown) : given;
  if (!Array.isArray(list) || isMap(given)) return [];
  return list.filter((scope): scope is string => typeof scope === "string");
}
