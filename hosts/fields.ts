/** The kinds of value that inventory keys have. Each reads the text as it is written, or reports what it expected. */

import { isIP } from "node:net";
import { z } from "zod";
import { quote } from "./finding";

const MAX_TEXT = 4096;

/** What docs/inventory.md prints of a key. */
export interface KeyDoc {
  readonly type: string;
  readonly default: string;
  readonly description: string;
}

function got(value: unknown): string {
  if (Array.isArray(value)) return "got a list";
  if (value !== null && typeof value === "object") return "got a mapping";
  return `got ${quote(value)}`;
}

/** A field that `read` turns into a value; undefined means that the text does not fit. */
function field<T>(expected: string, read: (text: string) => T | undefined) {
  return z.unknown().transform((value, context): T => {
    const result =
      typeof value === "string" && value.length <= MAX_TEXT && !hasControlCharacter(value)
        ? read(value)
        : undefined;
    if (result !== undefined) return result;
    const problem =
      typeof value === "string" && value.length > MAX_TEXT
        ? `got ${value.length} characters`
        : typeof value === "string" && hasControlCharacter(value)
          ? `got a control character in ${quote(value)}`
          : got(value);
    context.issues.push({
      code: "custom",
      input: value,
      message: `expected ${expected}, ${problem}`,
    });
    return z.NEVER;
  });
}

export function hasControlCharacter(text: string): boolean {
  return /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/.test(text);
}

export const text = () => field("a text of one line", (value) => value);

const MAX_NOTE = 65_536;

/** A longer text that only people read; line breaks are allowed. */
export const note = () =>
  z.unknown().transform((value, context): string => {
    if (typeof value === "string" && value.length <= MAX_NOTE) return value;
    const problem = typeof value === "string" ? `got ${value.length} characters` : got(value);
    context.issues.push({
      code: "custom",
      input: value,
      message: `expected a text of at most ${MAX_NOTE} characters, ${problem}`,
    });
    return z.NEVER;
  });

/** A word that can become part of a tag: lower-case letters, digits and dashes, a letter first. */
export const label = () =>
  field("a word of letters, digits and dashes", (value) => {
    const lower = value.trim().toLowerCase();
    return /^[a-z][a-z0-9-]{0,31}$/.test(lower) ? lower : undefined;
  });

/** A node id that somebody names; the daemon is told such ids in lists with commas. */
export const nodeName = () =>
  field("the name of a host", (value) => (value.includes(",") ? undefined : value));

export const word = () => field("a word", (value) => value.trim().toLowerCase());

export function integer(minimum: number, maximum: number) {
  return field(`an integer from ${minimum} to ${maximum}`, (value) => {
    // No leading zeros and no `22:30`: YAML 1.1 readers such as PyYAML take those for other numbers.
    const trimmed = value.trim();
    if (!/^(0|[1-9]\d{0,9})$/.test(trimmed)) return undefined;
    const number = Number(trimmed);
    return number >= minimum && number <= maximum ? number : undefined;
  });
}

/** Words that YAML 1.1 (PyYAML, which the daemon uses) reads as booleans and YAML 1.2 as texts. */
export const BOOLEAN_WORDS: Readonly<Record<string, boolean>> = {
  yes: true,
  on: true,
  no: false,
  off: false,
};

export const boolean = () =>
  field("true or false", (value) => {
    const lower = value.toLowerCase();
    if (lower === "true") return true;
    if (lower === "false") return false;
    return Object.hasOwn(BOOLEAN_WORDS, lower) ? BOOLEAN_WORDS[lower] : undefined;
  });

const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;

export function isHostAddress(value: string): boolean {
  if (isIP(value) !== 0) return true;
  // A name whose last part is a number is an address to most resolvers (`0x7f.1` is 127.0.0.1), or a typing error.
  return HOST_NAME.test(value) && !/(^|\.)(\d+|0x[0-9a-f]*)\.?$/i.test(value);
}

/** A host name or address, perhaps with `user@` in front. */
export const sshHost = () =>
  field("a host name or an IP address", (value) => {
    const match = /^(?:([^@]*)@)?(.*)$/.exec(value.trim());
    const user = match?.[1];
    const host = match?.[2] ?? "";
    if (user !== undefined && !isUserName(user)) return undefined;
    return isHostAddress(host) ? { user, host } : undefined;
  });

export const hostAddress = () =>
  field("a host name or an IP address", (value) =>
    isHostAddress(value.trim()) ? value.trim() : undefined,
  );

export function isUserName(value: string): boolean {
  return /^[a-z_][a-z0-9_.-]{0,31}$/i.test(value);
}

export const userName = () =>
  field("a login name", (value) => (isUserName(value.trim()) ? value.trim() : undefined));

/** An absolute path, or one below `~`. Other shell notation is not expanded, so it is refused. */
export const path = () =>
  field("an absolute path, or one that starts with ~/", (value) => {
    const trimmed = value.trim();
    return /^(\/|~\/|~$)/.test(trimmed) ? trimmed : undefined;
  });

/** 100.64.0.0/10, the addresses of a tailnet. */
export function isTailnetIPv4(value: string): boolean {
  if (isIP(value) !== 4) return false;
  const [first, second] = value.split(".").map(Number);
  return first === 100 && second !== undefined && second >= 64 && second <= 127;
}

/** fd7a:115c:a1e0::/48 */
export function isTailnetIPv6(value: string): boolean {
  return canonicalIPv6(value)?.startsWith("fd7a:115c:a1e0:") ?? false;
}

/** The one spelling of RFC 5952; undefined for anything else, and for addresses with a zone. */
export function canonicalIPv6(value: string): string | undefined {
  if (isIP(value) !== 6 || value.includes("%")) return undefined;
  return new URL(`http://[${value}]`).hostname.slice(1, -1);
}

/** The IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`, in any spelling); undefined for anything else. */
export function mappedIPv4(value: string): string | undefined {
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonicalIPv6(value) ?? "") ?? [];
  if (high === undefined || low === undefined) return undefined;
  const numbers = [high, low].map((word) => parseInt(word, 16));
  return numbers.flatMap((number) => [number >> 8, number & 255]).join(".");
}

export const tailnetAddress = () =>
  field("a tailnet address (100.64.0.0/10 or fd7a:115c:a1e0::/48)", (value) => {
    const trimmed = value.trim();
    if (isTailnetIPv4(trimmed)) return trimmed;
    return isTailnetIPv6(trimmed) ? canonicalIPv6(trimmed) : undefined;
  });

export const httpsUrl = () =>
  field("an https URL without a path", (value) => {
    if (!URL.canParse(value.trim())) return undefined;
    const url = new URL(value.trim());
    const bare =
      url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
    return url.protocol === "https:" && bare && url.password === "" ? url.origin : undefined;
  });

export function choice<const T extends readonly string[]>(words: T) {
  return field(`one of ${words.join(", ")}`, (value): T[number] | undefined =>
    words.find((candidate) => candidate === value.trim().toLowerCase()),
  );
}

/** A public key as in authorized_keys: `ssh-ed25519 AAAA…`; the type must agree with the key's own (RFC 4253, 6.6). */
export const publicKey = () =>
  field("a public key such as `ssh-ed25519 AAAA…`", (value) => {
    const [type, body] = value.trim().split(/\s+/);
    if (!type || !body || !/^[A-Za-z0-9+/]+={0,2}$/.test(body)) return undefined;
    const bytes = Buffer.from(body, "base64");
    if (bytes.length < 4 + type.length) return undefined;
    const length = bytes.readUInt32BE(0);
    if (length !== type.length || bytes.toString("latin1", 4, 4 + length) !== type)
      return undefined;
    return `${type} ${body}`;
  });
