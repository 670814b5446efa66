/** Edits of HuJSON text that leave every other character alone: comments, order and spacing are the user's. */

import { type Node, visit } from "jsonc-parser";

/** Stands in the comment right before every entry that is ours. */
export const MARK = "p2p-fleet:";

interface Token {
  readonly kind: "comment" | "comma";
  readonly start: number;
  readonly end: number;
}

let last: { readonly text: string; readonly tokens: readonly Token[] } | undefined;

/** Comments and commas between two offsets. */
function tokensBetween(text: string, from: number, to: number): Token[] {
  // Asked for every entry of a text that may be long.
  if (last?.text !== text) last = { text, tokens: tokensOf(text) };
  const { tokens } = last;
  const begin = firstFrom(tokens, from);
  const end = firstFrom(tokens, to);
  return tokens.slice(begin, end);
}

/** Index of the first token at an offset or behind it; they are in order. */
function firstFrom(tokens: readonly Token[], offset: number): number {
  let [low, high] = [0, tokens.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[middle]?.start ?? Infinity) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const add = (kind: Token["kind"], start: number, length: number): void => {
    tokens.push({ kind, start, end: start + length });
  };
  visit(
    text,
    {
      onComment: (offset, length) => add("comment", offset, length),
      onSeparator: (character, offset, length) => {
        if (character === ",") add("comma", offset, length);
      },
    },
    { allowTrailingComma: true },
  );
  return tokens;
}

function endOf(node: Node): number {
  return node.offset + node.length;
}

/** The comment that stands right before an entry of a list, on a line of its own or after the list's beginning. */
function commentBefore(text: string, list: Node, index: number): Token | undefined {
  const entries = list.children ?? [];
  const entry = entries[index];
  if (!entry) return undefined;
  const previous = entries[index - 1];
  const from = previous ? endOf(previous) : list.offset + 1;
  const comment = tokensBetween(text, from, entry.offset).at(-1);
  if (comment?.kind !== "comment") return undefined;
  // On the line of the entry before it, it is about that one.
  return previous && !text.slice(from, comment.start).includes("\n") ? undefined : comment;
}

/** Our mark of an entry with its reason; undefined for an entry that has none. */
export function markOf(text: string, list: Node, index: number): string | undefined {
  const comment = commentBefore(text, list, index);
  const words =
    comment &&
    text
      .slice(comment.start + 2, comment.end)
      .replace(/\*\/$/, "")
      .trim();
  return words?.startsWith(MARK) ? words : undefined;
}

/** True for an entry that carries our mark. */
export function isMarked(text: string, list: Node, index: number): boolean {
  return markOf(text, list, index) !== undefined;
}

/** Puts the mark of an entry before the next one. */
export function moveMark(text: string, list: Node, index: number): string {
  const comment = commentBefore(text, list, index);
  const next = list.children?.[index + 1];
  if (!comment || !next) return text;
  const mark = text.slice(comment.start, comment.end);
  const indent = indentOf(text, next.offset);
  const moved = `${text.slice(0, next.offset)}${mark}${eolOf(text)}${indent}${text.slice(next.offset)}`;
  return cut(moved, comment.start, comment.end);
}

function eolOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** Takes a marked entry out, with its mark and its comma; foreign comments around it stay. */
export function removeEntry(text: string, list: Node, index: number): string {
  const entry = list.children?.[index];
  if (!entry) return text;
  const next = list.children?.[index + 1];
  const after = tokensBetween(text, endOf(entry), next?.offset ?? endOf(list) - 1);
  const comma = after.find(({ kind }) => kind === "comma");
  const comment = isMarked(text, list, index) ? commentBefore(text, list, index) : undefined;
  const ranges = [
    ...(comma ? [[comma.start, comma.end] as const] : []),
    [entry.offset, endOf(entry)] as const,
    ...(comment ? [[comment.start, comment.end] as const] : []),
  ];
  return ranges.reduce((result, [start, end]) => cut(result, start, end), text);
}

/** Removes a range, and the line it stood on where nothing else is left of that. */
function cut(text: string, start: number, end: number): string {
  const rest = text.slice(0, start) + text.slice(end);
  const lineStart = rest.lastIndexOf("\n", start - 1) + 1;
  const newline = rest.indexOf("\n", start);
  const lineEnd = newline === -1 ? rest.length : newline;
  const isEmpty = rest.slice(lineStart, lineEnd).trim() === "";
  if (!isEmpty || lineStart === 0 || newline === -1) return rest;
  return rest.slice(0, lineStart) + rest.slice(newline + 1);
}

/** Puts lines at the end of a list or an object. @param items texts without a comma at their end */
export function append(text: string, container: Node, items: readonly string[]): string {
  if (items.length === 0) return text;
  const latest = container.children?.at(-1);
  const close = endOf(container) - 1;
  const inside = latest ? endOf(latest) : container.offset + 1;
  const tokens = tokensBetween(text, inside, close);
  const needsComma = latest !== undefined && !tokens.some(({ kind }) => kind === "comma");
  const end = Math.max(inside, tokens.at(-1)?.end ?? inside);
  const outer = indentOf(text, container.offset);
  const inner = `${outer}  `;
  const eol = eolOf(text);
  const block = items
    .map(
      (item) =>
        `${item
          .split("\n")
          .map((line) => `${inner}${line}`)
          .join(eol)},`,
    )
    .join(eol);
  return [
    text.slice(0, inside),
    needsComma ? "," : "",
    text.slice(inside, end),
    `${eol}${block}${eol}${outer}`,
    text.slice(close),
  ].join("");
}

/** Blanks at the start of the line on which an offset is. */
function indentOf(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? "";
}

/** One line, with a blank after commas and colons, as policies are written by hand. */
export function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`,
  );
  return `{${entries.join(", ")}}`;
}
