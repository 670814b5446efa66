/** The YAML text as plain values whose places in the file stay known. */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { type Code } from "./codes";
import { type Path } from "./finding";
import { findExcess, MAX_BYTES } from "./limits";

const MAX_VALUES = 200_000;
const MAX_DEPTH = 64;
const MAX_SYNTAX_ERRORS = 100;

/** A problem at an offset of the text, before paths are known. */
export interface TextReport {
  readonly code: Code;
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

export interface InventoryDocument {
  readonly root: unknown;
  /** Offset of the value at the path, or of the nearest thing above it that is in the text. */
  offsetOf(path: Path, atKey: boolean): number;
}

export interface ParsedText {
  /** Undefined where the text cannot be used at all; then `reports` has an error. */
  readonly document: InventoryDocument | undefined;
  readonly reports: readonly TextReport[];
  lineAndColumn(offset: number): { line: number; column: number };
}

/** Says where values of scalar keys are wanted as they are written (`010`, `12e4`, `no`). */
export type IsText = (path: Path) => boolean;

class TooComplex extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/**
 * Parses YAML 1.2 with merge keys; a BOM and CRLF are accepted. Never throws.
 *
 * @param isText paths whose scalars keep their source text instead of becoming numbers or booleans
 */
export function parseInventory(text: string, isText: IsText): ParsedText {
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

  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) {
    return refuse({
      code: "file-too-large",
      offset: 0,
      message: `the file has ${bytes} bytes, more than ${MAX_BYTES}`,
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
    parsed = parseDocument(clean, {
      lineCounter,
      merge: true,
      prettyErrors: false,
      // Compared here instead, with a Set: the library compares every key with every other.
      uniqueKeys: false,
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return refuse({ code: "yaml-syntax", offset: 0, message: `not readable as YAML: ${message}` });
  }
  const reports: TextReport[] = parsed.warnings.map((warning) => ({
    code: "yaml-warning",
    offset: warning.pos[0],
    message: oneLine(warning.message),
  }));
  if (parsed.errors.length > 0) {
    reports.push(
      ...parsed.errors.slice(0, MAX_SYNTAX_ERRORS).map((error) => ({
        code: "yaml-syntax" as const,
        offset: error.pos[0],
        message: oneLine(error.message),
      })),
    );
    return { document: undefined, reports, lineAndColumn };
  }
  const reader = new Reader(isText);
  try {
    const root = reader.read(parsed.contents, [], 0);
    reports.push(...reader.duplicates);
    const document =
      reader.duplicates.length > 0 ? undefined : { root, offsetOf: makeOffsets(parsed.contents) };
    return { document, reports, lineAndColumn };
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error;
    return refuse({ code: "file-too-complex", offset: error.offset, message: error.message });
  }
}

/** YAML messages quote the text they stumbled over; keep them to one printable line. */
function oneLine(message: string): string {
  const text = message.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

function countLines(text: string, lineCounter: LineCounter): void {
  lineCounter.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1))
    lineCounter.addNewLine(at + 1);
}

/** Reads nodes into plain values: null-prototype objects, arrays, scalars. */
class Reader {
  readonly duplicates: TextReport[] = [];
  private readonly anchors = new Map<string, Node>();
  private values = 0;

  constructor(private readonly isText: IsText) {}

  read(node: unknown, path: Path, depth: number): unknown {
    const offset = startOf(node);
    this.values += 1;
    if (this.values > MAX_VALUES)
      throw new TooComplex(`aliases expand to more than ${MAX_VALUES} values`, offset);
    if (depth > MAX_DEPTH) throw new TooComplex(`nested deeper than ${MAX_DEPTH} levels`, offset);
    if (isAlias(node)) return this.read(this.anchors.get(node.source) ?? null, path, depth + 1);
    if (isMap(node)) {
      this.remember(node);
      return this.readMap(node as YAMLMap<unknown, unknown>, path, depth);
    }
    if (isSeq(node)) {
      this.remember(node);
      return node.items.map((item, index) => this.read(item, [...path, index], depth + 1));
    }
    if (isScalar(node)) {
      this.remember(node);
      if (typeof node.value === "string" || node.value === null) return node.value;
      return this.isText(path) ? (node.source ?? String(node.value)) : node.value;
    }
    return null;
  }

  private remember(node: Node): void {
    if ("anchor" in node && typeof node.anchor === "string") this.anchors.set(node.anchor, node);
  }

  private readMap(map: YAMLMap<unknown, unknown>, path: Path, depth: number): unknown {
    const result = Object.create(null) as Record<string, unknown>;
    const merged: unknown[] = [];
    const seen = new Set<string>();
    for (const pair of map.items) {
      const key = keyText(pair);
      if (isMergeKey(pair)) {
        merged.push(this.read(pair.value, path, depth + 1));
        continue;
      }
      if (seen.has(key)) {
        this.duplicates.push({
          code: "duplicate-key",
          offset: startOf(pair.key),
          message: `the key ${JSON.stringify(key.slice(0, 60))} stands here a second time`,
          hint: "PyYAML, which the daemon uses, would silently keep the last one",
        });
      }
      seen.add(key);
      result[key] = this.read(pair.value, [...path, key], depth + 1);
    }
    // Explicit keys win over merged ones, and earlier merged mappings over later ones (YAML merge key).
    for (const source of merged.flat()) {
      if (source === null || typeof source !== "object") continue;
      for (const [key, value] of Object.entries(source)) {
        if (!(key in result)) result[key] = value;
      }
    }
    return result;
  }
}

function isMergeKey(pair: Pair<unknown, unknown>): boolean {
  return isScalar(pair.key) && pair.key.type === "PLAIN" && pair.key.source === "<<";
}

/** The key as it is written: `010`, `yes` and `1.0` stay texts. */
function keyText(pair: Pair<unknown, unknown>): string {
  if (!isScalar(pair.key)) return String(pair.key);
  return typeof pair.key.value === "string"
    ? pair.key.value
    : (pair.key.source ?? String(pair.key.value));
}

function startOf(node: unknown): number {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0] ?? 0;
}

/** Finds offsets by path; each mapping's index is made once, when a finding first asks for it. */
function makeOffsets(root: unknown): InventoryDocument["offsetOf"] {
  const indices = new WeakMap<object, Map<string, Pair<unknown, unknown>>>();
  const pairsOf = (map: YAMLMap<unknown, unknown>): Map<string, Pair<unknown, unknown>> => {
    let index = indices.get(map);
    if (!index) {
      index = new Map(map.items.map((pair) => [keyText(pair), pair]));
      indices.set(map, index);
    }
    return index;
  };
  return (path, atKey) => {
    let node = root;
    let offset = startOf(root);
    for (const [position, part] of path.entries()) {
      if (isMap(node)) {
        const pair = pairsOf(node as YAMLMap<unknown, unknown>).get(String(part));
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
