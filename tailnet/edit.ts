/** Edits of HuJSON text that leave every other character alone: comments, order and spacing are the user's. */

import { type Node, visit } from "jsonc-parser";

/** Stands in the comment right before every entry that is ours. */
export const MARK = "p2p-fleet:";

interface Token {
  readonly kind: "comment" | "comma";
  readonly start: number;
  readonly end: number;
}

/** Comments and commas between two offsets. */
function tokensBetween(text: string, from: number, to: number): Token[] {
  const tokens: Token[] = [];
  const add = (kind: Token["kind"], start: number, length: number): void => {
    if (start >= from && start < to) tokens.push({ kind, start, end: start + length });
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

/** The comment that stands right before an entry of a list. */
function commentBefore(text: string, list: Node, index: number): Token | undefined {
  const entries = list.children ?? [];
  const entry = entries[index];
  if (!entry) return undefined;
  const previous = entries[index - 1];
  const from = previous ? endOf(previous) : list.offset + 1;
  const last = tokensBetween(text, from, entry.offset).at(-1);
  return last?.kind === "comment" ? last : undefined;
}

/** True for an entry that carries our mark. */
export function isMarked(text: string, list: Node, index: number): boolean {
  const comment = commentBefore(text, list, index);
  return comment !== undefined && text.slice(comment.start, comment.end).includes(MARK);
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
  const last = container.children?.at(-1);
  const close = endOf(container) - 1;
  const inside = last ? endOf(last) : container.offset + 1;
  const tokens = tokensBetween(text, inside, close);
  const needsComma = last !== undefined && !tokens.some(({ kind }) => kind === "comma");
  const end = Math.max(inside, tokens.at(-1)?.end ?? inside);
  const outer = indentOf(text, container.offset);
  const inner = `${outer}  `;
  const block = items
    .map(
      (item) =>
        `${item
          .split("\n")
          .map((line) => `${inner}${line}`)
          .join("\n")},`,
    )
    .join("\n");
  return [
    text.slice(0, inside),
    needsComma ? "," : "",
    text.slice(inside, end),
    `\n${block}\n${outer}`,
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
