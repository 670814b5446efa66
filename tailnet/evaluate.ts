/**
 * Which packets a policy lets through between tagged devices, as far as it can be told offline: grants and
 * the older `acls`, for sources and destinations that are tags. Groups, users and addresses never match a
 * tag (tailscale.com/kb/1337/policy-syntax).
 */

import { parse } from "jsonc-parser";
import { position, parseHujson, section, valueOf } from "./hujson";

export interface Breach {
  /** Text of the test's expectation, such as `tag:a reaches tag:b:22`. */
  readonly what: string;
  /** The rule that lets it through, with its line; null where nothing does and something should. */
  readonly rule: string | null;
}

interface Rule {
  readonly place: string;
  readonly sources: readonly string[];
  reaches(tag: string, proto: string, port: number): boolean;
}

const EVERYBODY: readonly string[] = ["*", "autogroup:danger-all", "autogroup:tagged"];

const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).filter((item): item is string => typeof item === "string");

const isTag = (selector: string, tag: string): boolean =>
  EVERYBODY.includes(selector) || selector === tag;

/** `*`, `22`, `80,443`, `8000-8100`. */
function hasPort(ports: string, port: number): boolean {
  return ports.split(",").some((part) => {
    if (part === "*") return true;
    const [from = "", to = from] = part.split("-");
    return Number(from) <= port && port <= Number(to);
  });
}

/** A grant's `ip`: `*`, `tcp:*`, `tcp:22`, `22`. */
function carries(ip: string, proto: string, port: number): boolean {
  if (ip === "*") return true;
  const colon = ip.lastIndexOf(":");
  const name = colon === -1 ? "" : ip.slice(0, colon);
  return (name === "" || name === "*" || name === proto) && hasPort(ip.slice(colon + 1), port);
}

function rulesOf(text: string, name: string): Rule[] {
  const root = parseHujson(text, name);
  const read = (
    key: "grants" | "acls",
    make: (rule: Record<string, unknown>) => Omit<Rule, "place">,
  ) =>
    (section(root, key, "array", name)?.children ?? []).map((node, index) => ({
      place: `${key}[${index}] (line ${position(text, node.offset).line})`,
      ...make((valueOf(node) ?? {}) as Record<string, unknown>),
    }));
  return [
    ...read("grants", ({ src, dst, ip }) => ({
      sources: texts(src),
      reaches: (tag, proto, port) =>
        texts(dst).some((selector) => isTag(selector, tag)) &&
        texts(ip).some((one) => carries(one, proto, port)),
    })),
    ...read("acls", ({ action, src, users, dst, ports, proto: only }) => ({
      sources: action === "accept" ? [...texts(src), ...texts(users)] : [],
      reaches: (tag, proto, port) =>
        (only === undefined || only === proto) &&
        [...texts(dst), ...texts(ports)].some((target) => {
          const colon = target.lastIndexOf(":");
          return isTag(target.slice(0, colon), tag) && hasPort(target.slice(colon + 1), port);
        }),
    })),
  ];
}

function letsThrough(
  rules: readonly Rule[],
  from: string,
  to: string,
  proto: string,
): Rule | undefined {
  const colon = to.lastIndexOf(":");
  const port = Number(to.slice(colon + 1));
  return rules.find(
    ({ sources, reaches }) =>
      sources.some((selector) => isTag(selector, from)) && reaches(to.slice(0, colon), proto, port),
  );
}

/**
 * Runs those of the policy's own `tests` that are about tags only.
 * @throws PolicyTextError when the text cannot be read
 */
export function failingTests(text: string, name: string): Breach[] {
  const rules = rulesOf(text, name);
  const { tests } = parse(text, undefined, { allowTrailingComma: true }) as { tests?: unknown };
  return (Array.isArray(tests) ? (tests as Record<string, unknown>[]) : []).flatMap((test) => {
    const { src, proto } = test;
    if (typeof src !== "string" || !src.startsWith("tag:")) return [];
    const aboutTags = (key: string) => texts(test[key]).filter((to) => to.startsWith("tag:"));
    const check = (to: string, isWanted: boolean): Breach[] => {
      const rule = letsThrough(rules, src, to, typeof proto === "string" ? proto : "tcp");
      if ((rule !== undefined) === isWanted) return [];
      return [
        { what: `${src} ${rule ? "reaches" : "does not reach"} ${to}`, rule: rule?.place ?? null },
      ];
    };
    return [
      ...aboutTags("accept").flatMap((to) => check(to, true)),
      ...aboutTags("deny").flatMap((to) => check(to, false)),
    ];
  });
}

/**
 * Ports of a tag that a device outside the fleet reaches: what listens on a container's loopback is
 * delivered there in userspace networking, whatever the port.
 * @param outside a tag that no rule names
 */
export function openPorts(text: string, tag: string, outside: string, name: string): string | null {
  const rules = rulesOf(text, name);
  // A service that nobody would name in a rule: whoever reaches it reaches everything.
  const rule = letsThrough(rules, outside, `${tag}:61717`, "tcp");
  return rule?.place ?? null;
}

/** The first rule by which anybody at all, people too, reaches a TCP port of a tag. */
export function whoReaches(text: string, tag: string, port: number, name: string): string | null {
  const rule = rulesOf(text, name).find(
    ({ sources, reaches }) => sources.length > 0 && reaches(tag, "tcp", port),
  );
  return rule?.place ?? null;
}
