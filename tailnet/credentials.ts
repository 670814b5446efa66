/** How one gets at the Tailscale API: the same settings, under the same names, as Tailscale's Pulumi provider. */

import { readFileSync } from "node:fs";

export type Credentials =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "oauth"; readonly id: string; readonly secret: string }
  | { readonly kind: "identity"; readonly id: string; readonly token: string };

export interface ApiAccess {
  /** Scheme and host. */
  readonly baseUrl: string;
  /** `-` is the tailnet of the credentials. */
  readonly tailnet: string;
  readonly credentials: Credentials;
}

/** Setting of the provider to the variables that stand for it. */
const VARIABLES = {
  apiKey: ["TAILSCALE_API_KEY"],
  oauthClientId: ["TAILSCALE_OAUTH_CLIENT_ID", "OAUTH_CLIENT_ID"],
  oauthClientSecret: ["TAILSCALE_OAUTH_CLIENT_SECRET", "OAUTH_CLIENT_SECRET"],
  identityToken: ["TAILSCALE_IDENTITY_TOKEN", "IDENTITY_TOKEN"],
  tailnet: ["TAILSCALE_TAILNET"],
  baseUrl: ["TAILSCALE_BASE_URL"],
} as const;

export type Setting = keyof typeof VARIABLES;
export const SETTINGS = Object.keys(VARIABLES) as Setting[];

/**
 * @param configured the provider's settings in the stack, which come before the environment
 * @returns null where there are no credentials
 * @throws Error when a value's file cannot be read, the base URL is none, or there are two kinds of credentials
 */
export function apiAccess(
  configured: Readonly<Partial<Record<Setting, string>>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ApiAccess | null {
  const value = (setting: Setting): string | undefined => {
    const fromEnvironment = VARIABLES[setting].map((name) => environment[name]).find(Boolean);
    const text = configured[setting] || fromEnvironment;
    return text?.startsWith("file:") ? readFileSync(text.slice(5), "utf8").trim() : text;
  };
  const credentials = credentialsOf(value);
  if (credentials === null) return null;
  const baseUrl = (value("baseUrl") ?? "https://api.tailscale.com").replace(/\/+$/, "");
  if (!URL.canParse(baseUrl)) throw new Error(`baseUrl is no URL: ${baseUrl}`);
  return { baseUrl, tailnet: value("tailnet") ?? "-", credentials };
}

function credentialsOf(value: (setting: Setting) => string | undefined): Credentials | null {
  const key = value("apiKey");
  const id = value("oauthClientId");
  const secret = value("oauthClientSecret");
  const token = value("identityToken");
  // The provider would refuse both in the middle of the run.
  if (key !== undefined && [id, secret, token].some((one) => one !== undefined))
    throw new Error(
      "there are an API key and an OAuth client or identity token, in the configuration or the environment (TAILSCALE_API_KEY, TAILSCALE_OAUTH_CLIENT_ID, …): keep one of them",
    );
  if (key !== undefined) return { kind: "key", key };
  if (id !== undefined && secret !== undefined) return { kind: "oauth", id, secret };
  return id !== undefined && token !== undefined ? { kind: "identity", id, token } : null;
}
