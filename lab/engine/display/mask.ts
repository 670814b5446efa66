import { createMasker, secret, secretTexts, type Value } from "../../wire";

/**
 * The SDK makes the whole connection of a remote command secret. These parts of it are in clear everywhere else
 * (inventory, plan, outputs), and masking them would shred every text with a `root` in it.
 */
const PUBLIC_FIELDS: ReadonlySet<string> = new Set(["host", "port", "user", "hostKey"]);

/** Replaces every secret it has been told of in any text. */
export class Masker {
  private readonly secrets = new Set<string>();
  private replace: ((text: string) => string) | undefined;

  /** Learns all secrets in a value. */
  learn(value: Value | undefined): void {
    if (value === undefined) return;
    const before = this.secrets.size;
    for (const text of secretTexts(value, (field) => PUBLIC_FIELDS.has(field)))
      this.secrets.add(text);
    if (this.secrets.size > before) this.replace = undefined;
  }

  /** Learns a value that is secret as a whole. */
  learnText(value: Value): void {
    this.learn(secret(value));
  }

  mask(text: string): string {
    this.replace ??= createMasker(this.secrets);
    return this.replace(text);
  }
}
