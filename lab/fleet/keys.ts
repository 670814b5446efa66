import { utils } from "ssh2";

/** An Ed25519 key pair in OpenSSH's formats. */
export interface KeyPair {
  /** PEM, for a file of mode 0600. */
  readonly private: string;
  /** "ssh-ed25519 BASE64", without a comment. */
  readonly public: string;
}

/** Makes a key pair that nothing but one lab will ever know. */
export function makeKeyPair(): KeyPair {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519");
    // ssh2 1.17 drops a leading zero byte of the public key: one pair in 256 is one that no sshd can load.
    if (publicLength(pair.public) !== ED25519_BYTES) continue;
    return { private: pair.private, public: pair.public.split(" ").slice(0, 2).join(" ") };
  }
}

/** Two length fields, the algorithm's name and the 32 bytes of the key (RFC 8709). */
const ED25519_BYTES = 4 + "ssh-ed25519".length + 4 + 32;

function publicLength(line: string): number {
  return Buffer.from(line.split(" ")[1] ?? "", "base64").length;
}
