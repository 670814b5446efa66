import { isMap, isSecret, isUnknown, type Value } from "./values";

/** What stands in a text where a secret was. */
export const MASK = "[secret]";

/** Shorter secrets are not looked for as substrings: they would shred every text (the CLI has the same limit). */
const MIN_LENGTH = 3;
/** Parts of a secret (a line, a value inside JSON) are looked for from this length on. */
const MIN_PART_LENGTH = 8;
/**
 * Names of files and of steps are in a secret's JSON too: where it is to lie, what was done with it. Hidden, messages
 * with those words would tell nothing. A secret that looks like them is still hidden as a whole.
 */
const ORDINARY = /^(?:\/[a-z0-9._-]+){2,}$|^[a-z]+(?: [a-z]+)*$/;

/**
 * The strings and numbers inside the secrets of a value.
 * @param isPublic names fields that are no secret of their own although a secret object holds them (a host name)
 */
export function secretTexts(
  value: Value,
  isPublic: (field: string) => boolean = () => false,
): string[] {
  const found = new Set<string>();
  collect(value, false, found, isPublic);
  return [...found];
}

function collect(
  value: Value,
  inSecret: boolean,
  found: Set<string>,
  isPublic: (field: string) => boolean,
): void {
  if (isSecret(value)) return collect(value["value"] ?? null, true, found, isPublic);
  if (Array.isArray(value)) {
    for (const item of value) collect(item, inSecret, found, isPublic);
  } else if (isMap(value)) {
    for (const [key, item] of Object.entries(value)) {
      collect(item, inSecret && !isPublic(key), found, isPublic);
    }
  } else if (inSecret && typeof value === "string" && !isUnknown(value)) {
    if (value.length >= MIN_LENGTH) found.add(value);
  } else if (inSecret && typeof value === "number" && String(value).length >= MIN_PART_LENGTH) {
    found.add(String(value));
  }
}

/**
 * Makes a function that replaces secrets in texts: as they are, escaped as in JSON, line by line (keys, scripts)
 * and, when a secret is itself JSON, each longer string in it.
 */
export function createMasker(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>();
  for (const text of secrets) {
    for (const part of [text, ...partsOf(text)]) {
      forms.add(part);
      forms.add(JSON.stringify(part).slice(1, -1));
    }
  }
  // Longest first, or a secret that contains another would leave its rest behind.
  const ordered = [...forms].sort((a, b) => b.length - a.length).map(escapeForRegExp);
  if (ordered.length === 0) return (text) => text;
  // One pass, so that no secret is looked for in the masks of others.
  const any = new RegExp(ordered.join("|"), "g");
  return (text) => text.replace(any, MASK);
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** What may be quoted of a longer secret without the rest of it: its lines, and what is in it as JSON. */
export function partsOf(text: string): string[] {
  const parts = text.includes("\n") ? text.split("\n").map((line) => line.trim()) : [];
  if (/^\s*[[{]/.test(text)) {
    try {
      collectStrings(JSON.parse(text) as Value, parts);
    } catch {
      // Not JSON after all.
    }
  }
  return parts.filter((part) => part.length >= MIN_PART_LENGTH);
}

function collectStrings(value: Value, into: string[]): void {
  if (typeof value === "string")
    into.push(...(ORDINARY.test(value) ? [] : [value]), ...partsOf(value));
  else if (Array.isArray(value)) for (const item of value) collectStrings(item, into);
  else if (isMap(value)) for (const item of Object.values(value)) collectStrings(item, into);
}
