import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { EngineError } from "../errors";

/**
 * Pulumi's passphrase encryption (sdk/go/common/resource/config/crypt.go): PBKDF2-SHA256 with 1,000,000 rounds gives an
 * AES-256-GCM key; a value is `v1:<nonce>:<ciphertext+tag>`, both in base64; the salt line carries the encrypted word
 * `pulumi`, by which a wrong passphrase is noticed.
 */
const ROUNDS = 1_000_000;
const CHECK_WORD = "pulumi";
const TAG_BYTES = 16;

const derive = promisify(pbkdf2);

export class Cipher {
  private constructor(
    private readonly key: Buffer,
    /** The line stored as `encryptionsalt` and in the state's secrets provider. */
    readonly salt: string,
  ) {}

  /** A cipher with a fresh salt. */
  static async create(passphrase: string): Promise<Cipher> {
    const salt = randomBytes(8);
    const key = await derive(passphrase, salt, ROUNDS, 32, "sha256");
    const line = `v1:${salt.toString("base64")}:${encryptWith(key, CHECK_WORD)}`;
    return new Cipher(key, line);
  }

  /** @throws EngineError when the salt line is malformed or the passphrase is not the one it was made with. */
  static async open(passphrase: string, saltLine: string): Promise<Cipher> {
    const [version, salt, ...check] = saltLine.split(":");
    if (version !== "v1" || salt === undefined || check.length !== 3) {
      throw new EngineError(
        "the encryption salt is malformed: expected v1:<salt>:v1:<nonce>:<text>",
      );
    }
    const key = await derive(passphrase, Buffer.from(salt, "base64"), ROUNDS, 32, "sha256");
    try {
      if (decryptWith(key, check.join(":")) === CHECK_WORD) return new Cipher(key, saltLine);
    } catch {
      // A wrong key shows as a failed authentication tag: said below in the user's words.
    }
    throw new EngineError(
      "incorrect passphrase: set PULUMI_CONFIG_PASSPHRASE to the passphrase this stack was made with, " +
        "or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it",
    );
  }

  encrypt(text: string): string {
    return encryptWith(this.key, text);
  }

  /** @throws EngineError when the text was not made with this key. */
  decrypt(text: string): string {
    try {
      return decryptWith(this.key, text);
    } catch {
      throw new EngineError("a stored secret cannot be decrypted with this stack's passphrase");
    }
  }
}

function encryptWith(key: Buffer, text: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `v1:${nonce.toString("base64")}:${body.toString("base64")}`;
}

function decryptWith(key: Buffer, text: string): string {
  const [version, nonce, body] = text.split(":");
  if (version !== "v1" || nonce === undefined || body === undefined) throw new Error("malformed");
  const bytes = Buffer.from(body, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  const plain = decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES));
  return Buffer.concat([plain, decipher.final()]).toString("utf8");
}
