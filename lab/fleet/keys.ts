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
  const pair = utils.generateKeyPairSync("ed25519");
  return { private: pair.private, public: pair.public.split(" ").slice(0, 2).join(" ") };
}
