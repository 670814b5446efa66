import { EngineError } from "../errors";
import { type Cipher } from "./passphrase";
import { isMap, isSecret, mapEntries, secret, SECRET, SIGNATURE_KEY, type Value } from "../../wire";

/** Seals the secrets of a state file and opens them again; a secret is stored as the JSON text of its value. */
export class Vault {
  /** Old ciphertexts by their plaintext: an unchanged secret keeps its text, so that a state's diff stays small. */
  private readonly sealed = new Map<string, string>();

  constructor(private readonly cipher: Cipher) {}

  get salt(): string {
    return this.cipher.salt;
  }

  seal(value: Value): Value {
    if (!isSecret(value)) return mapChildren(value, (item) => this.seal(item));
    const plain = JSON.stringify(sealInside(value["value"] ?? null));
    let ciphertext = this.sealed.get(plain);
    if (ciphertext === undefined) {
      ciphertext = this.cipher.encrypt(plain);
      this.sealed.set(plain, ciphertext);
    }
    return { [SIGNATURE_KEY]: SECRET, ciphertext };
  }

  /** @throws EngineError when a secret has neither text, or was sealed with another key. */
  open(value: Value): Value {
    if (!isMap(value) || !isSecret(value)) return mapChildren(value, (item) => this.open(item));
    const { ciphertext, plaintext } = value;
    if (typeof plaintext === "string") return secret(this.open(JSON.parse(plaintext) as Value));
    if (typeof ciphertext !== "string") {
      throw new EngineError("the state holds a secret without text");
    }
    // A secret inside a secret is not encrypted a second time.
    if (!ciphertext.startsWith("v1:")) return secret(this.open(JSON.parse(ciphertext) as Value));
    const plain = this.cipher.decrypt(ciphertext);
    this.sealed.set(plain, ciphertext);
    return secret(this.open(JSON.parse(plain) as Value));
  }
}

/** Secrets in clear, in the form `pulumi stack export --show-secrets` writes. */
export function sealInClear(value: Value): Value {
  if (!isSecret(value)) return mapChildren(value, sealInClear);
  const plaintext = JSON.stringify(sealInClear(value["value"] ?? null));
  return { [SIGNATURE_KEY]: SECRET, plaintext };
}

/** What lies inside a sealed secret: the secrets in it keep their marks, as the CLI has it. */
function sealInside(value: Value): Value {
  if (!isSecret(value)) return mapChildren(value, sealInside);
  return {
    [SIGNATURE_KEY]: SECRET,
    ciphertext: JSON.stringify(sealInside(value["value"] ?? null)),
  };
}

function mapChildren(value: Value, visit: (item: Value) => Value): Value {
  if (Array.isArray(value)) return value.map(visit);
  return isMap(value) ? mapEntries(value, visit) : value;
}
