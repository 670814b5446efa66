/** Secrets of tunnels: derived, so that a token is known without asking Cloudflare for it (D9). */

import { createHmac } from "node:crypto";

/** HMAC-SHA256 under the stack's secret; `purpose` keeps the uses apart. */
function keyed(secret: string, purpose: string, ...parts: readonly (string | number)[]): Buffer {
  return createHmac("sha256", secret)
    .update(JSON.stringify([`p2p ${purpose}`, ...parts]))
    .digest();
}

/**
 * A tunnel's secret, base64 of 32 bytes, as Cloudflare wants it.
 * @param tunnel stable key: `node:<name>` or `entry`
 * @param generation a higher one gives another secret
 */
export function tunnelSecret(secret: string, tunnel: string, generation: number): string {
  return keyed(secret, "tunnel secret", tunnel, generation).toString("base64");
}

/** What `cloudflared tunnel run --token-file` reads. */
export function tunnelToken(accountTag: string, tunnelId: string, tunnelSecret: string): string {
  return Buffer.from(JSON.stringify({ a: accountTag, t: tunnelId, s: tunnelSecret })).toString(
    "base64",
  );
}

/** The tunnel's secret in a token; undefined for a text that is none. */
export function secretInToken(token: string): string | undefined {
  try {
    const value = JSON.parse(Buffer.from(token, "base64").toString("utf8")) as { s?: unknown };
    return typeof value.s === "string" ? value.s : undefined;
  } catch {
    return undefined;
  }
}

/** Tells two contents apart and nothing about either; 32 hexadecimal digits. */
export function contentDigest(secret: string, content: string): string {
  return keyed(secret, "content", content).toString("hex").slice(0, 32);
}

/** Eight digits that only this stack could have written: on a record they say whose it is. */
export function ownerMark(secret: string, hostname: string): string {
  return keyed(secret, "owner", hostname).toString("hex").slice(0, 8);
}
