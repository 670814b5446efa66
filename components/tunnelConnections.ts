/** Cleaning up before the engine deletes tunnels, which no resource does. */

import * as pulumi from "@pulumi/pulumi";
import { CloudflareApi, DEFAULT_BASE_URL } from "../tunnels/api";
import { textOf } from "./secretText";

/** The credentials of the Cloudflare provider, for the calls that no resource makes; null where there are none. */
export async function cloudflareApi(): Promise<CloudflareApi | null> {
  const config = new pulumi.Config("cloudflare");
  const text = async (key: string, variable: string): Promise<string | undefined> => {
    const secret = config.getSecret(key);
    return secret === undefined ? process.env[variable] || undefined : textOf(secret);
  };
  const [token, key, email, baseUrl] = await Promise.all([
    text("apiToken", "CLOUDFLARE_API_TOKEN"),
    text("apiKey", "CLOUDFLARE_API_KEY"),
    text("email", "CLOUDFLARE_EMAIL"),
    text("baseUrl", "CLOUDFLARE_BASE_URL"),
  ]);
  const headers: Record<string, string> | undefined =
    token !== undefined
      ? { Authorization: `Bearer ${token}` }
      : key !== undefined && email !== undefined
        ? { "X-Auth-Key": key, "X-Auth-Email": email }
        : undefined;
  return headers ? new CloudflareApi({ baseUrl: baseUrl ?? DEFAULT_BASE_URL, headers }) : null;
}

/** Connectors that died with their machine keep a tunnel from being deleted for minutes. */
export async function dropConnections(
  api: CloudflareApi,
  accountId: string,
  tunnels: readonly string[],
): Promise<void> {
  await Promise.all(
    tunnels.map(async (id) => {
      try {
        await api.dropConnections(accountId, id);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        void pulumi.log.warn(
          `connections of the tunnel ${id} could not be closed (${why}); if deleting it fails with code 1022, stop its connector or run cloudflared tunnel cleanup ${id}, then pulumi up`,
        );
      }
    }),
  );
}
