/** The YAML text as plain values whose places in the file stay known. */

import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLParseError,
} from "yaml";
import { escapeControls, type Path } from "./finding";
import { findExcess, MAX_BYTES } from "./limits";
import { keyText, Reader, startOf, type TextReport, TooComplex } from "./reader";

const MAX_SYNTAX_ERRORS = 100;
/** Mappings up to this size are searched from the start; an index of each would cost more than it saves. */
const MAX_SEARCHED = 40;

type AnyPair = Pair<unknown, unknown>;

export interface InventoryDocument {
  readonly root: unknown;
  /** Places of `true` and `false` in quotes. */
  readonly quotedBooleans: readonly Path[];
  /** Offset of the value at the path, or of the nearest thing above it that is in the text. */
  offsetOf(path: Path, atKey: boolean): number;
}

export interface ParsedText {
  /** Undefined where the text cannot be used at all; then `reports` has an error. */
  readonly document: InventoryDocument | undefined;
  readonly reports: readonly TextReport[];
  lineAndColumn(offset: number): { line: number; column: number };
}

/** Parses YAML 1.2 with merge keys; a BOM and CRLF are accepted. Never throws. */
export function parseInventory(text: string): ParsedText {
  const lineCounter = new LineCounter();
  const lineAndColumn = (offset: number): { line: number; column: number } => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refuse = (report: TextReport): ParsedText => ({
    document: undefined,
    reports: [report],
    lineAndColumn,
  });

  if (Buffer.byteLength(text) > MAX_BYTES) {
    return refuse({
      code: "file-too-large",
      offset: 0,
      message: `the file has more than ${MAX_BYTES} bytes`,
    });
  }
  const clean = text.startsWith("\ufeff") ? text.slice(1) : text;
  const excess = findExcess(clean);
  if (excess) {
    countLines(clean, lineCounter);
    return refuse({ code: "file-too-complex", ...excess });
  }

  let parsed: Document.Parsed;
  try {
    parsed = withoutStacks(() =>
      parseDocument(clean, {
        lineCounter,
        merge: true,
        prettyErrors: false,
        // Compared here instead, with a Set: the library compares every key with every other.
        uniqueKeys: false,
      }),
    );
  } catch (error) {
    const message = oneLine(error instanceof Error ? error.message : String(error));
    return refuse({ code: "yaml-syntax", offset: 0, message: `not readable as YAML: ${message}` });
  }
  const reports: TextReport[] = parsed.warnings.slice(0, MAX_SYNTAX_ERRORS).map((warning) => ({
    code: "yaml-warning",
    offset: warning.pos[0],
    message: oneLine(warning.message),
  }));
  const tooDeep = parsed.errors.find(({ message }) => STACK_OVERFLOW.test(message));
  if (tooDeep)
    return refuse({
      code: "file-too-complex",
      offset: tooDeep.pos[0],
      message: "nested or repeated too deeply to be read",
    });
  if (parsed.errors.length > 0) {
    reports.push(
      ...distinct(parsed.errors).map((error) => ({
        code: "yaml-syntax" as const,
        offset: error.pos[0],
        message: wordsOf(error),
      })),
    );
    return { document: undefined, reports, lineAndColumn };
  }
  const reader = new Reader();
  try {
    const root = reader.read(parsed.contents);
    reports.push(...reader.reports);
    const { quotedBooleans } = reader;
    const document =
      reader.reports.length > 0
        ? undefined
        : { root, quotedBooleans, offsetOf: makeOffsets(parsed.contents) };
    return { document, reports, lineAndColumn };
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error;
    return refuse({ code: "file-too-complex", offset: error.offset, message: error.message });
  }
}

/** One mistake may close two mappings at the same place; it is one finding. */
function distinct(errors: readonly YAMLParseError[]): YAMLParseError[] {
  const places = new Map(errors.map((error) => [`${error.pos[0]} ${error.message}`, error]));
  return [...places.values()].slice(0, MAX_SYNTAX_ERRORS);
}

/** The library's words, where they are not meant for somebody who writes a program. */
function wordsOf({ code, message }: YAMLParseError): string {
  return code === "MULTIPLE_DOCS"
    ? "a second document begins here (---); an inventory is one"
    : oneLine(message);
}

/** V8's words; how deep that is depends on what it has compiled by then. */
const STACK_OVERFLOW = /maximum call stack/i;

/** A text with an error in every line makes an Error object of each, and taking stacks is most of their cost. */
function withoutStacks<T>(parse: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return parse();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** YAML messages quote the text they stumbled over; keep them to one printable line. */
function oneLine(message: string): string {
  const text = message.length > 200 ? `${message.slice(0, 199)}…` : message;
  return escapeControls(text.replace(/\s+/g, " ").trim());
}

function countLines(text: string, lineCounter: LineCounter): void {
  lineCounter.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1))
    lineCounter.addNewLine(at + 1);
}

/** Finds offsets by path; a large mapping's index is made once, when a finding first asks for it. */
function makeOffsets(root: unknown): InventoryDocument["offsetOf"] {
  const indices = new WeakMap<object, Map<string, AnyPair>>();
  const pairOf = (map: YAMLMap<unknown, unknown>, key: string): AnyPair | undefined => {
    if (map.items.length <= MAX_SEARCHED) return map.items.find((pair) => keyText(pair) === key);
    let index = indices.get(map);
    if (!index) {
      index = new Map(map.items.map((pair) => [keyText(pair), pair]));
      indices.set(map, index);
    }
    return index.get(key);
  };
  return (path, atKey) => {
    let node = root;
    let offset = startOf(root);
    for (const [position, part] of path.entries()) {
      if (isMap(node)) {
        const pair = pairOf(node as YAMLMap<unknown, unknown>, String(part));
        if (!pair) return offset;
        const isLast = position === path.length - 1;
        const empty = !isScalar(pair.value) && !isMap(pair.value) && !isSeq(pair.value);
        // A mapping's value starts on the line after its key, and an empty value nowhere: the key is the place.
        offset =
          (isLast && atKey) || empty || isBlank(pair.value) || isBlockMap(pair.value)
            ? startOf(pair.key)
            : startOf(pair.value);
        node = pair.value;
      } else if (isSeq(node) && typeof part === "number" && node.items[part] !== undefined) {
        node = node.items[part];
        offset = startOf(node);
      } else return offset;
    }
    return offset;
  };
}

function isBlank(node: unknown): boolean {
  return isScalar(node) && node.value === null && (node.source ?? "") === "";
}

function isBlockMap(node: unknown): boolean {
  return (isMap(node) || isSeq(node)) && node.flow !== true;
}
