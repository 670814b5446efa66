/** Reading HuJSON (JSON with comments and trailing commas), the format of a tailnet's policy file. */

import { createHash } from "node:crypto";
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
  visit,
} from "jsonc-parser";

/** A policy text that cannot be read; the message names line and column. */
export class PolicyTextError extends Error {}

/** @param name what the text is, for messages: a path, or "the tailnet's policy" */
export function parseHujson(text: string, name: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) {
    const { line, column } = position(text, error.offset);
    throw new PolicyTextError(`${name}:${line}:${column}: ${printParseErrorCode(error.error)}`);
  }
  if (root?.type !== "object") throw new PolicyTextError(`${name}: expected an object`);
  const keys = (root.children ?? []).map((property) => String(property.children?.[0]?.value));
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new PolicyTextError(`${name}: the section ${twice} stands twice`);
  return root;
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
  const node = findNodeAtLocation(root, [key]);
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
