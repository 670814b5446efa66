import { MASK, partsOf, secret, secretTexts, type Value } from "../../wire";

/**
 * The SDK makes the whole connection of a remote command secret. These parts of it are in clear everywhere else
 * (inventory, plan, outputs), and masking them would shred every text with a `root` in it.
 */
const PUBLIC_FIELDS: ReadonlySet<string> = new Set(["host", "port", "user", "hostKey"]);

/** Secrets are found by their beginning; shorter ones as a whole. */
const BEGINNING = 8;

/**
 * Replaces every secret it has been told of in any text. A fleet's state holds thousands of them, and new ones come
 * with every step: so they are kept by their beginnings, and looked up at each place of a text.
 */
export class Masker {
  private readonly known = new Set<string>();
  private readonly short = new Set<string>();
  private readonly shortLengths = new Set<number>();
  private readonly long = new Map<string, string[]>();

  /** Learns all secrets in a value. */
  learn(value: Value | undefined): void {
    if (value === undefined) return;
    for (const text of secretTexts(value, (field) => PUBLIC_FIELDS.has(field))) {
      if (this.known.has(text)) continue;
      this.known.add(text);
      this.add(text);
      for (const part of partsOf(text)) this.add(part);
    }
  }

  /** Learns a value that is secret as a whole. */
  learnText(value: Value): void {
    this.learn(secret(value));
  }

  mask(text: string): string {
    let result = "";
    let from = 0;
    for (let at = 0; at < text.length;) {
      const length = this.secretAt(text, at);
      if (length === 0) at++;
      else {
        result += text.slice(from, at) + MASK;
        at += length;
        from = at;
      }
    }
    return result + text.slice(from);
  }

  /** Length of the longest secret that begins at this place, zero if none does. */
  private secretAt(text: string, at: number): number {
    for (const candidate of this.long.get(text.slice(at, at + BEGINNING)) ?? []) {
      if (text.startsWith(candidate, at)) return candidate.length;
    }
    let longest = 0;
    for (const length of this.shortLengths) {
      if (length > longest && this.short.has(text.slice(at, at + length))) longest = length;
    }
    return longest;
  }

  /** As it is, and as it looks inside JSON. */
  private add(text: string): void {
    for (const form of new Set([text, JSON.stringify(text).slice(1, -1)])) {
      if (form.length < BEGINNING) {
        this.short.add(form);
        this.shortLengths.add(form.length);
        continue;
      }
      const beginning = form.slice(0, BEGINNING);
      const others = this.long.get(beginning) ?? [];
      if (others.includes(form)) continue;
      // Longest first, or a secret that begins like another would leave its rest behind.
      const place = others.findIndex((other) => other.length < form.length);
      others.splice(place < 0 ? others.length : place, 0, form);
      this.long.set(beginning, others);
    }
  }
}
