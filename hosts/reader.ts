/** YAML nodes as plain values. */

import { isAlias, isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from "yaml";
import { type Code } from "./codes";
import { type Path, quote } from "./finding";

const MAX_VALUES = 100_000;
const MAX_DEPTH = 64;

/** A problem at an offset of the text. */
export interface TextReport {
  readonly code: Code;
  readonly offset: number;
  /** Where the text could be read so far. */
  readonly path?: Path;
  readonly message: string;
  readonly hint?: string;
}

/** Thrown by a reader whose text would cost more than it can be worth. */
export class TooComplex extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/** What an anchor stands for, and how many values that is; undefined while it is still being read. */
type Anchored = { readonly value: unknown; readonly count: number } | undefined;

/**
 * Reads nodes into plain values: null-prototype objects, arrays, null, and every other scalar as the text that
 * stands in the file (`010`, `12e4`, `no`), because only a key's own type can say what it means.
 */
export class Reader {
  /** What makes the file unusable: duplicate keys, keys that are no texts, aliases of nothing. */
  readonly reports: TextReport[] = [];
  /** Places of `true` and `false` in quotes, which are texts to PyYAML: every one of them is true. */
  readonly quotedBooleans: Path[] = [];
  private readonly anchors = new Map<string, Anchored>();
  /** Where the reader is; copied for reports only, because most files give none. */
  private readonly path: (string | number)[] = [];
  private values = 0;

  /** @throws TooComplex */
  read(node: unknown, depth = 0): unknown {
    const offset = startOf(node);
    if (isAlias(node)) return this.expand(node.source, offset);
    this.count(1, offset);
    if (depth > MAX_DEPTH) throw new TooComplex(`nested deeper than ${MAX_DEPTH} levels`, offset);
    const anchor =
      isMap(node) || isSeq(node) || isScalar(node) ? (node.anchor ?? undefined) : undefined;
    if (anchor === undefined) return this.readValue(node, depth);
    const before = this.values;
    this.anchors.set(anchor, undefined);
    const value = this.readValue(node, depth);
    this.anchors.set(anchor, { value, count: this.values - before + 1 });
    return value;
  }

  private readValue(node: unknown, depth: number): unknown {
    if (isMap(node)) return this.readMap(node as YAMLMap<unknown, unknown>, depth);
    if (isSeq(node)) return node.items.map((item, index) => this.readAt(index, item, depth + 1));
    if (!isScalar(node) || node.value === null) return null;
    if (isQuotedBoolean(node)) this.quotedBooleans.push([...this.path]);
    return scalarText(node);
  }

  private readAt(part: string | number, node: unknown, depth: number): unknown {
    this.path.push(part);
    const value = this.read(node, depth);
    this.path.pop();
    return value;
  }

  private report(code: Code, offset: number, message: string, hint?: string): void {
    const path = [...this.path];
    this.reports.push({ code, offset, path, message, ...(hint === undefined ? {} : { hint }) });
  }

  /** The value is shared, but counted as often as it is named: rules walk through all of it every time. */
  private expand(name: string, offset: number): unknown {
    const anchored = this.anchors.get(name);
    if (anchored) {
      this.count(anchored.count, offset);
      return anchored.value;
    }
    const what = this.anchors.has(name) ? "leads back to itself" : "has no anchor before it";
    this.report("yaml-syntax", offset, `the alias ${quote(`*${name}`)} ${what}`);
    return null;
  }

  private count(values: number, offset: number): void {
    this.values += values;
    if (this.values > MAX_VALUES)
      throw new TooComplex(`more than ${MAX_VALUES} values, with aliases expanded`, offset);
  }

  private readMap(map: YAMLMap<unknown, unknown>, depth: number): unknown {
    const result = Object.create(null) as Record<string, unknown>;
    const merged: unknown[] = [];
    for (const pair of map.items) {
      if (isMergeKey(pair)) {
        merged.push(this.read(pair.value, depth + 1));
        continue;
      }
      const key = this.readKey(pair);
      if (key === undefined) continue;
      const isSecond = key in result;
      this.path.push(key);
      if (isSecond) {
        this.report(
          "duplicate-key",
          startOf(pair.key),
          `the key ${quote(key)} stands here a second time`,
          "PyYAML, which the daemon uses, would silently keep the last one",
        );
      }
      result[key] = this.read(pair.value, depth + 1);
      this.path.pop();
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

  private readKey({ key: node }: Pair<unknown, unknown>): string | undefined {
    const offset = startOf(node);
    const key = isAlias(node) ? this.expand(node.source, offset) : scalarKey(node);
    if (isScalar(node) && node.anchor !== undefined)
      this.anchors.set(node.anchor, { value: key, count: 1 });
    if (typeof key === "string") return key;
    this.report("yaml-syntax", offset, "a mapping or a list cannot be a key");
    return undefined;
  }
}

function isMergeKey(pair: Pair<unknown, unknown>): boolean {
  return isScalar(pair.key) && pair.key.type === "PLAIN" && pair.key.source === "<<";
}

function isQuotedBoolean({ type, value }: Scalar): boolean {
  return type?.startsWith("QUOTE_") === true && /^(true|false)$/i.test(String(value));
}

function scalarText(node: Scalar): string {
  return typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
}

/** The key as it is written; an empty one is the empty text, because no name is like PyYAML's None. */
export function keyText(pair: Pair<unknown, unknown>): string {
  return scalarKey(pair.key) ?? "";
}

function scalarKey(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  return node.value === null ? (node.source ?? "") : scalarText(node);
}

export function startOf(node: unknown): number {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0] ?? 0;
}
