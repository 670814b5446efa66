/** Host keys: read as they are pinned, compared as bytes, shown as fingerprints. */

import { createHash } from "node:crypto";

export interface HostKey {
  readonly type: string;
  /** The key as it goes over the wire (RFC 4253, 6.6). */
  readonly bytes: Buffer;
}

/** Type in the key's own first field; empty where the bytes are none. */
function typeOf(bytes: Buffer): string {
  if (bytes.length < 4) return "";
  const length = bytes.readUInt32BE(0);
  return length <= bytes.length - 4 ? bytes.toString("latin1", 4, 4 + length) : "";
}

/** Reads `ssh-ed25519 AAAA…`; undefined where the text is no key, or says another type than its bytes. */
export function parseHostKey(text: string): HostKey | undefined {
  const [type = "", body = ""] = text.trim().split(/\s+/);
  const bytes = Buffer.from(body, "base64");
  return type !== "" && typeOf(bytes) === type ? { type, bytes } : undefined;
}

/** A key that a server has shown. */
export function hostKeyFromWire(bytes: Buffer): HostKey {
  return { type: typeOf(bytes), bytes: Buffer.from(bytes) };
}

export function formatHostKey({ type, bytes }: HostKey): string {
  return `${type} ${bytes.toString("base64")}`;
}

/** As OpenSSH shows it: `SHA256:` and unpadded base64. */
export function fingerprint({ bytes }: HostKey): string {
  return `SHA256:${createHash("sha256").update(bytes).digest("base64").replace(/=+$/, "")}`;
}

/** Signature algorithms with which a server shows its key of this type and no other key that it has. */
export function algorithmsOf(type: string): readonly string[] {
  return type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
}
