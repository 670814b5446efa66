/** Reading HuJSON (JSON with comments and trailing commas), the format of a tailnet's policy file. */

import { createHash } from "node:crypto";
import {
  getNodeValue,
  type Node,
  parse,
  type ParseError,
  parseTree,
  printParseErrorCode,
  visit,
} from "jsonc-parser";

/** A policy text that cannot be read; the message names line and column. */
export class PolicyTextError extends Error {}

/** @param name what the text is, for messages: a path, or "the tailnet's policy" */
export function parseHujson(text: string, name: string): Node {
  if (text.trim() === "")
    throw new PolicyTextError(`${name} is empty; a policy without rules is {"grants": []}`);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) {
    const place = placeOf(text, error.offset, name);
    throw new PolicyTextError(`${place}: ${printParseErrorCode(error.error)}`);
  }
  if (root?.type !== "object") throw new PolicyTextError(`${name}: expected an object`);
  refuseDoubles(text, root, name, "the section ", sectionName);
  return root;
}

/** @throws PolicyTextError for a key that stands twice in an object: which of them counts, nobody should have to know */
export function refuseDoubles(
  text: string,
  { children = [] }: Node,
  name: string,
  what = "",
  meaning = (key: string): string => key,
): void {
  const seen = new Set<string>();
  for (const { children: pair } of children) {
    const key = pair?.[0];
    const meant = meaning(String(key?.value));
    if (seen.has(meant))
      throw new PolicyTextError(
        `${placeOf(text, key?.offset ?? 0, name)}: ${what}${String(key?.value)} stands twice`,
      );
    seen.add(meant);
  }
}

const SECTIONS = [
  ...["acls", "grants", "groups", "hosts", "ipsets", "nodeAttrs", "ssh", "sshTests"],
  ...["tagOwners", "tests"],
];

/** Tailscale reads `ACLs` and `TagOwners`, as older policies have them, like `acls` and `tagOwners`. */
function sectionName(key: string): string {
  const lower = key.toLowerCase();
  return SECTIONS.find((one) => one.toLowerCase() === lower) ?? key;
}

/** What a policy says, its sections under their usual names. @throws PolicyTextError when it cannot be read */
export function readPolicy(text: string, name: string): Record<string, unknown> {
  return sectionsOf(valueOf(parseHujson(text, name)));
}

/** The same, of a text that may have faults which are no matter. */
export function readLeniently(text: string): Record<string, unknown> {
  return sectionsOf(parse(text, undefined, { allowTrailingComma: true }));
}

function sectionsOf(policy: unknown): Record<string, unknown> {
  const entries = Object.entries((policy ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.map(([key, value]) => [sectionName(key), value]));
}

/** `base.hujson:3:5`, for messages. */
export function placeOf(text: string, offset: number, name: string): string {
  const { line, column } = position(text, offset);
  return `${name}:${line}:${column}`;
}

/** Line and column, from 1. */
export function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** A section of the policy, or undefined where there is none. @throws PolicyTextError when it is of another type */
export function section(
  root: Node,
  key: string,
  type: "array" | "object",
  name: string,
): Node | undefined {
  const pair = root.children?.find(
    ({ children }) => sectionName(String(children?.[0]?.value)) === key,
  );
  const node = pair?.children?.[1];
  if (node && node.type !== type)
    throw new PolicyTextError(`${name}: the section ${key} is not an ${type}`);
  return node;
}

export function valueOf(node: Node): unknown {
  return getNodeValue(node) as unknown;
}

/**
 * The meaning of a value as text: keys sorted, and lists of plain texts sorted too, because everywhere in a
 * policy they are sets.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sorted);
    return items.every((item) => typeof item === "string") ? [...items].sort() : items;
  }
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** Digest of a text that stays the same when it is only formatted anew; comments count, commas at an end do not. */
export function formatDigest(text: string): string {
  const parts: string[] = [];
  const add = (offset: number, length: number): void => {
    parts.push(
      text
        .slice(offset, offset + length)
        .replace(/\s+/g, " ")
        .trim(),
    );
  };
  const close = (offset: number, length: number): void => {
    if (parts.at(-1) === ",") parts.pop();
    add(offset, length);
  };
  visit(
    text,
    {
      onObjectBegin: add,
      onArrayBegin: add,
      onObjectEnd: close,
      onArrayEnd: close,
      onComment: add,
      onObjectProperty: (_, offset, length) => add(offset, length),
      onLiteralValue: (_, offset, length) => add(offset, length),
      onSeparator: (_, offset, length) => add(offset, length),
    },
    { allowTrailingComma: true },
  );
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}
