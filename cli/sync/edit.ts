/**
 * Changes `tailscale_ip` in the inventory's text. The parsed document says where; nothing else of the text
 * changes, and the result, parsed again, has to differ in nothing but these values.
 */

import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";
import { type HostAddress } from "./match";

const NAME = "tailscale_ip";
/** A new line stands below the last of these. */
const NEIGHBOURS = ["ssh_host", "ssh_port", "ssh_user", "ssh_key", "ssh_jump", "ssh_host_key"];
const OPTIONS = { merge: true, prettyErrors: false } as const;

export interface Edited {
  readonly text: string;
  /** Hosts that cannot be edited safely: written in flow style over lines, or through an anchor. */
  readonly refused: readonly string[];
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const NO_EDIT: Edit = { from: 0, to: 0, text: "" };

type Mapping = YAMLMap<unknown, unknown>;

export function editAddresses(text: string, changes: readonly HostAddress[]): Edited {
  let result = text;
  const refused: string[] = [];
  for (const change of changes) {
    const edit = editFor(result, change);
    const after = edit && result.slice(0, edit.from) + edit.text + result.slice(edit.to);
    if (after !== undefined && differsOnlyIn(result, after, change)) result = after;
    else refused.push(change.host);
  }
  return { text: result, refused };
}

function editFor(text: string, { host, after }: HostAddress): Edit | undefined {
  const document = parseDocument(text, OPTIONS);
  const hosts = isMap(document.contents) ? pairOf(document.contents, "hosts")?.value : undefined;
  const entry = isMap(hosts) ? pairOf(hosts, host)?.value : undefined;
  if (!isMap(entry)) return undefined;
  const old = pairOf(entry, NAME);
  if (old) return after === null ? removal(text, old, entry) : replacement(text, old, after);
  return after === null ? NO_EDIT : insertion(text, entry as Mapping, after);
}

function replacement(
  text: string,
  { key, value }: Pair<unknown, unknown>,
  after: string,
): Edit | undefined {
  const range = rangeOf(value);
  if (!isScalar(value) || !range) return undefined;
  if (range[0] < range[1]) return { from: range[0], to: range[1], text: after };
  // Nothing stands there, and the place of nothing may be behind a comment.
  const colon = text.indexOf(":", rangeOf(key)?.[1] ?? range[0]);
  return { from: colon + 1, to: colon + 1, text: ` ${after}` };
}

/** The whole line, if nothing else is on it; a comment on it, or a flow mapping, keeps the key without a value. */
function removal(text: string, pair: Pair<unknown, unknown>, entry: unknown): Edit | undefined {
  const range = rangeOf(pair.value);
  const start = rangeOf(pair.key)?.[0];
  if (!range || start === undefined || !isScalar(pair.value)) return undefined;
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const newline = text.indexOf("\n", range[1]);
  const isAlone =
    !(entry as Mapping).flow &&
    text.slice(lineStart, start).trim() === "" &&
    newline >= 0 &&
    text.slice(range[1], newline).trim() === "" &&
    (entry as Mapping).items.length > 1;
  return isAlone
    ? { from: lineStart, to: newline + 1, text: "" }
    : { from: range[0], to: range[1], text: "null" };
}

function insertion(text: string, entry: Mapping, after: string): Edit | undefined {
  const pairs = NEIGHBOURS.flatMap((name) => pairOf(entry, name) ?? []);
  const last = pairs.sort((a, b) => (rangeOf(a.key)?.[0] ?? 0) - (rangeOf(b.key)?.[0] ?? 0)).at(-1);
  const end = rangeOf(last?.value)?.[1];
  const start = rangeOf(last?.key)?.[0];
  if (end === undefined || start === undefined) return undefined;
  if (entry.flow) return { from: end, to: end, text: `, ${NAME}: ${after}` };
  const indent = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  if (!/^ +$/.test(indent)) return undefined;
  const newline = text.indexOf("\n", end);
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  if (newline < 0)
    return { from: text.length, to: text.length, text: `${eol}${indent}${NAME}: ${after}` };
  return { from: newline + 1, to: newline + 1, text: `${indent}${NAME}: ${after}${eol}` };
}

function pairOf(map: unknown, name: string): Pair<unknown, unknown> | undefined {
  return (map as Mapping).items.find(({ key }) => isScalar(key) && String(key.value) === name);
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  return (node as { range?: [number, number, number] | null } | null)?.range ?? undefined;
}

function differsOnlyIn(
  before: string,
  after: string,
  { host, after: address }: HostAddress,
): boolean {
  const expected = valuesOf(before);
  const entry = expected?.hosts?.[host];
  const found = valuesOf(after);
  const written = found?.hosts?.[host];
  if (!entry || !written) return false;
  if (address === null) {
    if ((written[NAME] ?? null) !== null) return false;
    delete written[NAME];
    delete entry[NAME];
  } else entry[NAME] = address;
  return isDeepStrictEqual(found, expected);
}

/** Values with every alias written out, so that hosts share nothing. */
function valuesOf(text: string): { hosts?: Record<string, Record<string, unknown>> } | undefined {
  const document = parseDocument(text, OPTIONS);
  if (document.errors.length > 0) return undefined;
  const values: unknown = JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: -1 })));
  return values as { hosts?: Record<string, Record<string, unknown>> };
}
