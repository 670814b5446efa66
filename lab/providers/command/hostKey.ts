import { createHash } from "node:crypto";

/** A server's public key: its type and the bytes that it shows in the handshake. */
export interface HostKey {
  readonly type: string;
  readonly bytes: Buffer;
}

/**
 * Reads a key in authorized_keys format: `[options] type base64 [comment]`.
 * @throws Error when there is none in the text
 */
export function parseHostKey(text: string): HostKey {
  for (const [, type = "", base64 = ""] of text.matchAll(
    /(?:^|\s)([\w@.-]+)[ \t]+(AAAA[\w+/]+=*)/g,
  )) {
    const bytes = Buffer.from(base64, "base64");
    // The bytes begin with the type, so that a cut-off or swapped key is noticed here.
    if (bytes.length >= 4 && bytes.toString("latin1", 4, 4 + bytes.readUInt32BE(0)) === type) {
      return { type, bytes };
    }
  }
  throw new Error("failed to parse host key: ssh: no key found");
}

/** Signature algorithms to ask the server for, so that it shows the pinned key and not another one it has. */
export function algorithmsFor(key: HostKey): string[] {
  return key.type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [key.type];
}

/** The form in which OpenSSH shows keys to people: `SHA256:...`. */
export function fingerprint(bytes: Buffer): string {
  return `SHA256:${createHash("sha256").update(bytes).digest("base64").replace(/=+$/, "")}`;
}
