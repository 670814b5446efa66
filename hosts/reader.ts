/** YAML nodes as plain values. */

import { isAlias, isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from "yaml";
import { type Code } from "./codes";
import { type Path, quote } from "./finding";

const MAX_VALUES = 200_000;
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
  private readonly anchors = new Map<string, Anchored>();
  private values = 0;

  read(node: unknown, path: Path, depth: number): unknown {
    const offset = startOf(node);
    if (isAlias(node)) return this.expand(node.source, path, offset);
    this.count(1, offset);
    if (depth > MAX_DEPTH) throw new TooComplex(`nested deeper than ${MAX_DEPTH} levels`, offset);
    const anchor =
      isMap(node) || isSeq(node) || isScalar(node) ? (node.anchor ?? undefined) : undefined;
    if (anchor === undefined) return this.readValue(node, path, depth);
    const before = this.values;
    this.anchors.set(anchor, undefined);
    const value = this.readValue(node, path, depth);
    this.anchors.set(anchor, { value, count: this.values - before + 1 });
    return value;
  }

  private readValue(node: unknown, path: Path, depth: number): unknown {
    if (isMap(node)) return this.readMap(node as YAMLMap<unknown, unknown>, path, depth);
    if (isSeq(node))
      return node.items.map((item, index) => this.read(item, [...path, index], depth + 1));
    return isScalar(node) && node.value !== null ? scalarText(node) : null;
  }

  /** The value is shared, but counted as often as it is named: rules walk through all of it every time. */
  private expand(name: string, path: Path, offset: number): unknown {
    const anchored = this.anchors.get(name);
    if (anchored) {
      this.count(anchored.count, offset);
      return anchored.value;
    }
    const what = this.anchors.has(name) ? "leads back to itself" : "has no anchor before it";
    this.reports.push({
      code: "yaml-syntax",
      offset,
      path,
      message: `the alias ${quote(`*${name}`)} ${what}`,
    });
    return null;
  }

  private count(values: number, offset: number): void {
    this.values += values;
    if (this.values > MAX_VALUES)
      throw new TooComplex(`aliases expand to more than ${MAX_VALUES} values`, offset);
  }

  private readMap(map: YAMLMap<unknown, unknown>, path: Path, depth: number): unknown {
    const result = Object.create(null) as Record<string, unknown>;
    const merged: unknown[] = [];
    const seen = new Set<string>();
    for (const pair of map.items) {
      if (isMergeKey(pair)) {
        merged.push(this.read(pair.value, path, depth + 1));
        continue;
      }
      const key = this.readKey(pair, path);
      if (key === undefined) continue;
      const below = [...path, key];
      if (seen.has(key)) {
        this.reports.push({
          code: "duplicate-key",
          offset: startOf(pair.key),
          path: below,
          message: `the key ${quote(key)} stands here a second time`,
          hint: "PyYAML, which the daemon uses, would silently keep the last one",
        });
      }
      seen.add(key);
      result[key] = this.read(pair.value, below, depth + 1);
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

  private readKey(pair: Pair<unknown, unknown>, path: Path): string | undefined {
    const key = isAlias(pair.key)
      ? this.expand(pair.key.source, path, startOf(pair.key))
      : isScalar(pair.key)
        ? keyText(pair)
        : pair.key;
    if (isScalar(pair.key) && pair.key.anchor !== undefined)
      this.anchors.set(pair.key.anchor, { value: key, count: 1 });
    if (typeof key === "string") return key;
    this.reports.push({
      code: "yaml-syntax",
      offset: startOf(pair.key),
      path,
      message: "a mapping or a list cannot be a key",
    });
    return undefined;
  }
}

function isMergeKey(pair: Pair<unknown, unknown>): boolean {
  return isScalar(pair.key) && pair.key.type === "PLAIN" && pair.key.source === "<<";
}

function scalarText(node: Scalar): string {
  return typeof node.value === "string" ? node.value : (node.source ?? String(node.value));
}

/** An empty key is the empty text: PyYAML's None is no name that anybody could mean. */
export function keyText(pair: Pair<unknown, unknown>): string {
  if (!isScalar(pair.key)) return "";
  return pair.key.value === null ? (pair.key.source ?? "") : scalarText(pair.key);
}

export function startOf(node: unknown): number {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0] ?? 0;
}
