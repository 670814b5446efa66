import { isMap, isSecret, reveal, type Value } from "../wire/value";

/** Shorter secrets are left alone: masking them would eat every text, and they hide nothing. */
const SHORTEST = 4;
/** A line of a longer secret, and a part of one that is JSON, is masked by itself from this length on. */
const SHORTEST_PART = 12;

/** Replaces every secret it has been told of in any text. */
export class Masker {
  private readonly secrets = new Set<string>();
  private sorted: string[] | undefined;

  /** Learns all secrets in a value. */
  learn(value: Value | undefined): void {
    if (value === undefined || value === null) return;
    if (isSecret(value)) this.learnText(reveal(value.value));
    else if (Array.isArray(value)) value.forEach((item) => this.learn(item));
    else if (isMap(value)) Object.values(value).forEach((item) => this.learn(item));
  }

  /** Learns a value that is secret as a whole. */
  learnText(value: Value): void {
    if (typeof value === "number") this.add(String(value), SHORTEST_PART);
    else if (Array.isArray(value)) value.forEach((item) => this.learnText(item));
    else if (isMap(value)) Object.values(value).forEach((item) => this.learnText(item));
    else if (typeof value === "string") {
      this.add(value, SHORTEST);
      if (value.includes("\n")) value.split("\n").forEach((line) => this.add(line, SHORTEST_PART));
      this.learnParts(value);
    }
  }

  mask(text: string): string {
    this.sorted ??= [...this.secrets].sort((a, b) => b.length - a.length);
    let result = text;
    for (const secret of this.sorted) {
      if (result.includes(secret)) result = result.replaceAll(secret, "[secret]");
    }
    return result;
  }

  private learnParts(text: string): void {
    if (!/^\s*[[{]/.test(text)) return;
    try {
      for (const part of leaves(JSON.parse(text) as Value)) {
        this.add(part, SHORTEST_PART);
        part.split("\n").forEach((line) => this.add(line, SHORTEST_PART));
      }
    } catch {
      // Not JSON: the text as a whole is known.
    }
  }

  private add(text: string, shortest: number): void {
    const trimmed = text.trim();
    if (trimmed.length < shortest) return;
    for (const form of [trimmed, JSON.stringify(trimmed).slice(1, -1)]) {
      if (this.secrets.has(form)) continue;
      this.secrets.add(form);
      this.sorted = undefined;
    }
  }
}

function leaves(value: Value): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(leaves);
  return isMap(value) ? Object.values(value).flatMap(leaves) : [];
}
