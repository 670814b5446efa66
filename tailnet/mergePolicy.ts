/**
 * Puts what the fleet needs into a policy text. What is not ours stays as it is, comments and spacing
 * included; merging twice gives the same text, and a text that was only formatted anew is left alone.
 */

import { type Node } from "jsonc-parser";
import { append, isMarked, MARK, markOf, moveMark, oneLine, removeEntry } from "./edit";
import {
  canonical,
  parseHujson,
  placeOf,
  PolicyTextError,
  readPolicy,
  refuseDoubles,
  section,
  valueOf,
} from "./hujson";

/** A rule or a test with the reason for it, which becomes its comment. */
export interface OwnedEntry {
  readonly why: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Sections that are lists, in the order in which they are added. */
export const LISTS = ["grants", "ssh", "tests", "sshTests"] as const;
export type ListName = (typeof LISTS)[number];

/** The fleet's part of a policy. */
export interface PolicyPart extends Readonly<Record<ListName, readonly OwnedEntry[]>> {
  /** Tags and who may give them to a device. */
  readonly tagOwners: Readonly<Record<string, readonly string[]>>;
}

/**
 * @param name what the text is, for messages
 * @throws PolicyTextError when the text cannot be read
 */
export function mergePolicy(text: string, part: PolicyPart, name: string): string {
  const owned = Object.entries(part.tagOwners).reduce(
    (result, [tag, owners]) => mergeTag(result, tag, owners, name),
    text,
  );
  return LISTS.reduce((result, list) => mergeList(result, list, part[list], name), owned);
}

/** Owners that somebody else gave a tag stay; a tag is never removed, because devices may carry it. */
function mergeTag(text: string, tag: string, owners: readonly string[], name: string): string {
  const root = parseHujson(text, name);
  const tags = section(root, "tagOwners", "object", name);
  const line = `${JSON.stringify(tag)}: ${oneLine(owners)}`;
  if (tags) refuseDoubles(text, tags, name, "tagOwners.");
  if (!tags) return append(text, root, [`"tagOwners": {\n  ${line},\n}`]);
  const property = (tags.children ?? []).find(({ children }) => children?.[0]?.value === tag);
  const list = property?.children?.[1];
  if (!list) return append(text, tags, [line]);
  if (list.type !== "array") throw new PolicyTextError(`${name}: tagOwners.${tag} is not an array`);
  const present = valueOf(list) as unknown[];
  const missing = owners.filter((owner) => !present.includes(owner));
  return append(
    text,
    list,
    missing.map((owner) => JSON.stringify(owner)),
  );
}

function mergeList(
  text: string,
  key: ListName,
  wanted: readonly OwnedEntry[],
  name: string,
): string {
  const root = parseHujson(text, name);
  const list = section(root, key, "array", name);
  if (!list) {
    if (wanted.length === 0) return text;
    const withSection = append(text, root, [`"${key}": []`]);
    return mergeList(withSection, key, wanted, name);
  }
  const strayed = firstStrayed(text, list, wanted);
  if (strayed !== undefined) return mergeList(moveMark(text, list, strayed), key, wanted, name);
  const surplus = firstSurplus(text, list, wanted);
  if (surplus !== undefined) return mergeList(removeEntry(text, list, surplus), key, wanted, name);
  // An entry that says the same counts, whoever wrote it and however it is formatted.
  const present = (list.children ?? []).map((entry) => canonical(valueOf(entry)));
  const missing = wanted.filter(({ value }) => !present.includes(canonical(value)));
  return append(
    text,
    list,
    missing.map(({ why, value }) => `// ${MARK} ${why}\n${oneLine(value)}`),
  );
}

/** An entry that somebody put between our mark and what it marks. */
function firstStrayed(text: string, list: Node, wanted: readonly OwnedEntry[]): number | undefined {
  const entries = list.children ?? [];
  const values = entries.map((entry) => canonical(valueOf(entry)));
  const index = entries.findIndex((_, place) => {
    const mark = markOf(text, list, place);
    if (mark === undefined || markOf(text, list, place + 1) !== undefined) return false;
    const meant = wanted.find(({ why }) => mark === `${MARK} ${why}`);
    const value = meant && canonical(meant.value);
    return value !== undefined && values[place] !== value && values[place + 1] === value;
  });
  return index === -1 ? undefined : index;
}

/** A marked entry that is not wanted any more, or stands there twice. */
function firstSurplus(text: string, list: Node, wanted: readonly OwnedEntry[]): number | undefined {
  const values = new Set(wanted.map(({ value }) => canonical(value)));
  const seen = new Set<string>();
  const index = (list.children ?? []).findIndex((entry, place) => {
    const value = canonical(valueOf(entry));
    const isSurplus = isMarked(text, list, place) && (!values.has(value) || seen.has(value));
    seen.add(value);
    return isSurplus;
  });
  return index === -1 ? undefined : index;
}

/** Who may give our tags to a device besides those that we name: whoever has one is taken for a node of the fleet. */
export function strangeOwners(text: string, part: PolicyPart, name: string): string[] {
  const tags = section(parseHujson(text, name), "tagOwners", "object", name)?.children ?? [];
  return tags.flatMap(({ offset, children = [] }) => {
    const [key, list] = children;
    const tag = String(key?.value);
    const ours = Object.hasOwn(part.tagOwners, tag) ? part.tagOwners[tag] : undefined;
    const owners = list?.type === "array" ? (valueOf(list) as unknown[]).map(String) : [];
    const others = owners.filter((owner) => ours !== undefined && !ours.includes(owner));
    if (others.length === 0) return [];
    const place = placeOf(text, offset, name);
    return [
      `${place}: ${others.join(", ")} may give ${tag} to any device, which the policy then takes for a node of the fleet; that is kept: name them in p2p:tailnet.policy.owners, or take them out there`,
    ];
  });
}

/** True for a policy that carries entries of ours. */
export function isOurs(text: string, name: string): boolean {
  const root = parseHujson(text, name);
  return LISTS.some((key) => {
    const list = section(root, key, "array", name);
    return list?.children?.some((_, index) => isMarked(text, list, index)) ?? false;
  });
}

/** The meaning of everything in a policy that is not ours. */
export function foreignPart(text: string, part: PolicyPart, name: string): string {
  const root = parseHujson(text, name);
  const policy = readPolicy(text, name);
  for (const key of LISTS) {
    const list = section(root, key, "array", name);
    const ours = new Set(part[key].map(({ value }) => canonical(value)));
    const kept = (list?.children ?? [])
      .filter((_, index) => !list || !isMarked(text, list, index))
      .map(valueOf)
      .filter((value) => !ours.has(canonical(value)));
    policy[key] = kept.length > 0 ? kept : undefined;
  }
  const tags = Object.entries((policy["tagOwners"] ?? {}) as Record<string, unknown>);
  const foreign = tags.filter(([tag]) => !Object.hasOwn(part.tagOwners, tag));
  policy["tagOwners"] = foreign.length > 0 ? Object.fromEntries(foreign) : undefined;
  return canonical(policy);
}
