/**
 * Puts host keys into the inventory's text. The parsed document says where; the text is changed at these places
 * only, because writing the whole document anew would move comments and indentation of lists. The result is
 * parsed again, and has to differ in nothing but the new keys.
 */

import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";

export interface KeyToRecord {
  /** `ssh-ed25519 AAAA…` */
  readonly key: string;
  /** Write over a different value. */
  readonly replace: boolean;
}

export interface Recorded {
  readonly text: string;
  /** Host to the reason for which its key was not written. */
  readonly refused: ReadonlyMap<string, string>;
}

const NAME = "ssh_host_key";
/** The new line stands below the last of these. */
const NEIGHBOURS = ["ssh_host", "ssh_port", "ssh_user", "ssh_key", "ssh_jump"];
const BY_HAND = "is written in a way that cannot be edited safely; add ssh_host_key by hand";

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export function recordHostKeys(text: string, keys: ReadonlyMap<string, KeyToRecord>): Recorded {
  const bom = text.startsWith("\ufeff") ? "\ufeff" : "";
  const body = text.slice(bom.length);
  const refused = new Map<string, string>();
  const edits = new Map<string, Edit>();
  const hosts = hostsOf(body);
  for (const [name, wanted] of keys) {
    const edit = hosts ? editFor(body, hosts, name, wanted) : BY_HAND;
    if (typeof edit === "string") refused.set(name, edit);
    else edits.set(name, edit);
  }
  let written = apply(body, [...edits.values()]);
  if (!differsOnlyIn(body, written, keys, [...edits.keys()])) {
    // One of them reaches further than its own host, through an anchor: find out which.
    for (const [name, edit] of edits) {
      if (differsOnlyIn(body, apply(body, [edit]), keys, [name])) continue;
      edits.delete(name);
      refused.set(name, BY_HAND);
    }
    written = apply(body, [...edits.values()]);
    // What is right one by one may not be right together.
    if (!differsOnlyIn(body, written, keys, [...edits.keys()])) {
      for (const name of edits.keys()) refused.set(name, BY_HAND);
      written = body;
    }
  }
  return { text: bom + written, refused };
}

const OPTIONS = { merge: true, prettyErrors: false } as const;

type Mapping = YAMLMap<unknown, unknown>;

function hostsOf(text: string): Mapping | undefined {
  const document = parseDocument(text, OPTIONS);
  const hosts = isMap(document.contents) ? pairOf(document.contents, "hosts")?.value : undefined;
  return isMap(hosts) ? (hosts as Mapping) : undefined;
}

function pairOf(map: unknown, name: string): Pair<unknown, unknown> | undefined {
  return (map as Mapping).items.find(
    ({ key }) => isScalar(key) && (typeof key.value === "string" ? key.value : key.source) === name,
  );
}

/** @returns the change, or why there is none */
function editFor(
  text: string,
  hosts: Mapping,
  name: string,
  { key, replace }: KeyToRecord,
): Edit | string {
  const host = pairOf(hosts, name)?.value;
  if (!isMap(host)) return BY_HAND;
  const old = pairOf(host, NAME);
  if (old) return editValue(text, old, key, replace, name);
  const neighbours = NEIGHBOURS.map((neighbour) => pairOf(host, neighbour)).filter(
    (pair) => pair !== undefined,
  );
  const last = neighbours.sort((a, b) => startOf(a.key) - startOf(b.key)).at(-1);
  const first = (host as Mapping).items[0];
  if (!first) return BY_HAND;
  if (host.flow) {
    const end = rangeOf((last ?? first).value)?.[1];
    // JSON is YAML, too, and stays JSON.
    const label = (last ?? first).key;
    const isJson = isScalar(label) && label.type === "QUOTE_DOUBLE";
    const text = isJson ? `, "${NAME}": "${key}"` : `, ${NAME}: ${key}`;
    return end === undefined ? BY_HAND : { from: end, to: end, text };
  }
  return last ? lineBelow(text, last, key) : lineAbove(text, first, key);
}

function editValue(
  text: string,
  { key: label, value }: Pair<unknown, unknown>,
  key: string,
  replace: boolean,
  name: string,
): Edit | string {
  const range = rangeOf(value);
  if (!isScalar(value) || !range) return BY_HAND;
  const isEmpty = value.value === null || value.value === "";
  if (!isEmpty && !replace)
    return `ssh_host_key holds something else, which --replace ${name} would write over`;
  if (range[0] < range[1]) return { from: range[0], to: range[1], text: key };
  // Nothing stands there, and the place of nothing may be behind a comment.
  const colon = text.indexOf(":", rangeOf(label)?.[1] ?? range[0]);
  return { from: colon + 1, to: colon + 1, text: ` ${key}` };
}

function lineBelow(text: string, pair: Pair<unknown, unknown>, key: string): Edit | string {
  const indent = indentOf(text, pair);
  const end = rangeOf(pair.value)?.[1] ?? rangeOf(pair.key)?.[1];
  if (indent === undefined || end === undefined) return BY_HAND;
  // A block of lines ends behind its last one.
  const newline = text[end - 1] === "\n" ? end - 1 : text.indexOf("\n", end);
  if (newline < 0) {
    const eol = text.includes("\r\n") ? "\r\n" : "\n";
    return { from: text.length, to: text.length, text: `${eol}${indent}${NAME}: ${key}` };
  }
  const eol = text[newline - 1] === "\r" ? "\r\n" : "\n";
  return { from: newline + 1, to: newline + 1, text: `${indent}${NAME}: ${key}${eol}` };
}

function lineAbove(text: string, pair: Pair<unknown, unknown>, key: string): Edit | string {
  const indent = indentOf(text, pair);
  if (indent === undefined) return BY_HAND;
  const at = startOf(pair.key) - indent.length;
  const eol = text[at - 2] === "\r" ? "\r\n" : "\n";
  return { from: at, to: at, text: `${indent}${NAME}: ${key}${eol}` };
}

/** The blanks before a key that begins its line. */
function indentOf(text: string, pair: Pair<unknown, unknown>): string | undefined {
  const at = startOf(pair.key);
  const indent = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return /^ +$/.test(indent) ? indent : undefined;
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  return (node as { range?: [number, number, number] | null } | null)?.range ?? undefined;
}

function startOf(node: unknown): number {
  return rangeOf(node)?.[0] ?? 0;
}

/** From the end to the beginning, so that offsets stay true. */
function apply(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.from - a.from)
    .reduce((result, { from, to, text }) => result.slice(0, from) + text + result.slice(to), text);
}

function differsOnlyIn(
  before: string,
  after: string,
  keys: ReadonlyMap<string, KeyToRecord>,
  names: readonly string[],
): boolean {
  const expected = valuesOf(before) as { hosts?: Record<string, Record<string, unknown>> };
  for (const name of names) {
    const host = expected.hosts?.[name];
    if (host) host[NAME] = keys.get(name)?.key;
  }
  return isDeepStrictEqual(valuesOf(after), expected);
}

/** Values with every alias written out, so that hosts share nothing. */
function valuesOf(text: string): unknown {
  const document = parseDocument(text, OPTIONS);
  if (document.errors.length > 0) return document.errors.map(({ message }) => message);
  return JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: -1 })));
}
