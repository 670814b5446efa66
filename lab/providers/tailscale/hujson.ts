import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";

/** What is wrong with a text as HuJSON (JSON with comments and trailing commas); undefined when nothing is. */
export function hujsonError(text: string): string | undefined {
  const errors: ParseError[] = [];
  parse(text, errors, { allowTrailingComma: true, disallowComments: false });
  const [first] = errors;
  if (!first) return undefined;
  const before = text.slice(0, first.offset).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  return `${printParseErrorCode(first.error)} at line ${before.length}, column ${column}`;
}

/** The same value as JSON, without comments and white space. */
export function minimizeHujson(text: string): string {
  return JSON.stringify(parse(text, [], { allowTrailingComma: true }));
}

interface Token {
  readonly text: string;
  /** Line ends before it. */
  readonly lines: number;
}

const TOKEN = /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\])*"|[{}[\]:,]|\s+|[^\s{}[\]:,"/]+/g;

/** The tokens with their comments; white space is only a number of lines. */
function tokens(text: string): Token[] {
  const found: Token[] = [];
  let lines = 0;
  for (const [token] of text.replace(/\r\n?/g, "\n").matchAll(TOKEN)) {
    if (token.trim() === "") lines += token.split("\n").length - 1;
    else {
      // How a comment is indented, and what is behind it, does not count.
      const plain = isComment(token) ? token.split("\n").map((line) => line.trim()) : [token];
      found.push({ text: plain.join("\n"), lines });
      lines = 0;
    }
  }
  return found;
}

const isComment = (token: string | undefined): boolean => token?.startsWith("/") === true;

/** Longest line on which an object or a list stays together. */
const WIDTH = 80;

/** What stands between two tokens: comments, each with the line ends before it, and those after the last. */
interface Gap {
  readonly comments: readonly Token[];
  readonly lines: number;
}

interface Formed {
  readonly text: string;
  readonly isMultiline: boolean;
  /** Characters on its first and on its last line. */
  readonly first: number;
  readonly last: number;
}

/**
 * A text in a form that two texts share when the official provider takes one for another layout of the other. That is
 * Go's `hujson.Format`, of which this follows what decides: the order of keys, comments, single empty lines, and which
 * objects and lists stand on lines of their own; not indentation, alignment, spaces and trailing commas.
 * A text that is no HuJSON is its own form.
 */
export function canonicalHujson(text: string): string {
  if (hujsonError(text) !== undefined) return text;
  const all = tokens(text);
  const reader = new Reader(all);
  const before = reader.gap();
  const value = reader.value();
  const formed = `${formGap(before, 0, 2)}${value.text}${formGap(reader.gap(), 0, 2)}`.trim();
  // The formatter ends lines of plain JSON without a comma, and all others with one.
  const isPlain = all.every(({ text: token }, index) => {
    const isTrailing = token === "," && /^[}\]]$/.test(all[index + 1]?.text ?? "");
    return !isComment(token) && !isTrailing;
  });
  return isPlain && formed.includes("\n") ? `plain JSON\n${formed}` : formed;
}

class Reader {
  private at = 0;

  constructor(private readonly all: readonly Token[]) {}

  gap(): Gap {
    const from = this.at;
    while (isComment(this.peek())) this.at++;
    return { comments: this.all.slice(from, this.at), lines: this.all[this.at]?.lines ?? 0 };
  }

  value(): Formed {
    const first = this.take();
    if (first !== "{" && first !== "[") {
      return { text: first, isMultiline: false, first: first.length, last: first.length };
    }
    const items: { readonly gap: Gap; readonly item: Formed; readonly after: Gap }[] = [];
    let gap = this.gap();
    while (this.peek() !== "}" && this.peek() !== "]") {
      const item = first === "{" ? this.member() : this.value();
      const after = this.gap();
      items.push({ gap, item, after });
      gap = this.peek() === "," ? this.afterComma() : after;
    }
    const last = this.take();
    // Without a comma behind the last item, what follows it is what comes before the end.
    return formComposite(first, items, gap, last);
  }

  private afterComma(): Gap {
    this.at++;
    return this.gap();
  }

  /** A key and its value. */
  private member(): Formed {
    const key = this.take();
    const beforeColon = formGap(this.gap(), 0, 1);
    this.take();
    const gap = this.gap();
    const value = this.value();
    const text = `${key}${beforeColon}:${formGap(gap, 0, 1)}${value.text}`;
    const start = key.length + ": ".length;
    const last = value.isMultiline ? value.last : start + value.last;
    return { text, isMultiline: value.isMultiline, first: start + value.first, last };
  }

  private peek(): string | undefined {
    return this.all[this.at]?.text;
  }

  private take(): string {
    return this.all[this.at++]?.text ?? "";
  }
}

function hasLine({ comments, lines }: Gap): boolean {
  return (
    lines > 0 || comments.some((comment) => comment.lines > 0 || comment.text.startsWith("//"))
  );
}

/** A gap's comments and lines: at least and at most so many line ends at its start. */
function formGap(gap: Gap, least: number, most: number): string {
  const own = gap.comments.map(({ text, lines }, index) => {
    const wanted = index === 0 ? Math.min(lines, most) : Math.min(lines, 2);
    return `${"\n".repeat(wanted)} ${text}`;
  });
  const end = Math.min(gap.lines, own.length === 0 ? most : 2);
  const text = `${own.join("")}${"\n".repeat(end)}`;
  return text.includes("\n") ? text : `${"\n".repeat(least)}${text}`;
}

function formComposite(
  first: string,
  items: readonly { readonly gap: Gap; readonly item: Formed; readonly after: Gap }[],
  end: Gap,
  last: string,
): Formed {
  const widths = lineWidths(items);
  const isExpanded =
    items.some(({ gap }) => hasLine(gap)) || hasLine(end) || widths.some((width) => width > WIDTH);
  const least = isExpanded ? 1 : 0;
  const inner = items.map(({ gap, item, after }, index) => {
    const isLast = index === items.length - 1;
    const behind = isLast && after === end ? "" : formGap(after, 0, 1);
    return `${formGap(gap, least, index === 0 ? 1 : 2)}${item.text}${behind},`;
  });
  // Empty lines before the end go; an empty object or list has nothing in it.
  const before =
    items.length === 0 && end.comments.length === 0
      ? ""
      : formGap({ ...end, lines: Math.min(end.lines, 1) }, least, 2);
  const text = `${first}${inner.join("")}${before}${last}`;
  if (isExpanded) return { text, isMultiline: true, first: 1, last: 1 };
  const [head = 2, tail = head] = [widths[0], widths.at(-1)];
  return { text, isMultiline: widths.length > 1, first: head, last: tail };
}

/** How wide the lines are when an object or a list is written without line ends of its own. */
function lineWidths(items: readonly { readonly gap: Gap; readonly item: Formed }[]): number[] {
  const done: number[] = [];
  let width = 1;
  for (const { gap, item } of items) {
    width += gap.comments.reduce((sum, { text }) => sum + text.length + 1, 0) + item.first;
    if (item.isMultiline) {
      done.push(width);
      width = item.last;
    }
    width += ", ".length;
  }
  return [...done, width + 1];
}
