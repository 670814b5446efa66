/**
 * Which packets a policy lets through between tagged devices, as far as it can be told offline: grants and
 * the older `acls`, for sources and destinations that are tags. Groups and users never match a tag
 * (tailscale.com/kb/1337/policy-syntax); of addresses only those are known to match that hold every device's.
 */

import { position, parseHujson, readPolicy, section, valueOf } from "./hujson";

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

/** The ranges are those that tailnets give out addresses of, and all there are. */
const EVERYBODY: readonly string[] = [
  ...["*", "autogroup:danger-all", "autogroup:tagged"],
  ...["0.0.0.0/0", "::/0", "[::]/0", "100.64.0.0/10", "fd7a:115c:a1e0::/48"],
];

const texts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).filter((item): item is string => typeof item === "string");

/** Says who a selector is; aliases of `hosts` and `ipset:` names may stand for everybody. */
type Meaning = (selector: string, tag: string) => boolean;

function meaningOf(policy: Record<string, unknown>): Meaning {
  const hosts = (policy["hosts"] ?? {}) as Record<string, unknown>;
  const sets = (policy["ipsets"] ?? {}) as Record<string, unknown>;
  return (selector, tag) => {
    const parts = texts(sets[selector]).map((part) => part.replace(/^(add )?(host:)?/, ""));
    return [selector, ...parts].some(
      (one) => one === tag || EVERYBODY.includes(String(hosts[one] ?? one)),
    );
  };
}

/** Fields as they are written today: older policies have `Users` for `users`. */
function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));
}

/** `*`, `22`, `80,443`, `8000-8100`. */
function hasPort(ports: string, port: number): boolean {
  return ports.split(",").some((part) => {
    if (part === "*") return true;
    const [from = "", to = from] = part.split("-");
    return Number(from) <= port && port <= Number(to);
  });
}

/** Protocols may be written as IANA's numbers. */
function protoName(word: unknown): string {
  const name = String(word).toLowerCase();
  return { "6": "tcp", "17": "udp" }[name] ?? name;
}

/** A grant's `ip`: `*`, `tcp:*`, `tcp:22`, `22`. */
function carries(ip: string, proto: string, port: number): boolean {
  if (ip === "*") return true;
  const colon = ip.lastIndexOf(":");
  const name = protoName(colon === -1 ? "" : ip.slice(0, colon));
  return (name === "" || name === "*" || name === proto) && hasPort(ip.slice(colon + 1), port);
}

/** What Tailscale takes a policy for that has neither section (tailscale.com/kb/1018/acls). */
const NO_SECTION = "the default (it has neither grants nor acls)";

function rulesOf(text: string, name: string, isTag: Meaning): Rule[] {
  const root = parseHujson(text, name);
  if (!["grants", "acls"].some((key) => section(root, key, "array", name)))
    return [{ place: NO_SECTION, sources: ["*"], reaches: () => true }];
  const read = (
    key: "grants" | "acls",
    make: (rule: Record<string, unknown>) => Omit<Rule, "place">,
  ) =>
    (section(root, key, "array", name)?.children ?? []).map((node, index) => ({
      place: `${key}[${index}] (line ${position(text, node.offset).line})`,
      ...make(fieldsOf(valueOf(node))),
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
        (only === undefined || only === "" || protoName(only) === proto) &&
        [...texts(dst), ...texts(ports)].some((target) => {
          const colon = target.lastIndexOf(":");
          return isTag(target.slice(0, colon), tag) && hasPort(target.slice(colon + 1), port);
        }),
    })),
  ];
}

function letsThrough(
  rules: readonly Rule[],
  isTag: Meaning,
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
 * Runs tests, as far as they are about tags.
 * @param tests ours: what somebody else's take for granted about addresses, the API knows
 * @throws PolicyTextError when the text cannot be read
 */
export function failingTests(
  text: string,
  tests: readonly Readonly<Record<string, unknown>>[],
  name: string,
): Breach[] {
  const isTag = meaningOf(readPolicy(text, name));
  const rules = rulesOf(text, name, isTag);
  return tests.flatMap((test) => {
    const { src, proto } = test;
    if (typeof src !== "string" || !src.startsWith("tag:")) return [];
    const aboutTags = (key: string) => texts(test[key]).filter((to) => to.startsWith("tag:"));
    const check = (to: string, isWanted: boolean): Breach[] => {
      const rule = letsThrough(rules, isTag, src, to, typeof proto === "string" ? proto : "tcp");
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

/** The first rule by which anybody at all, people too, reaches a TCP port of a tag. */
export function whoReaches(
  text: string,
  tag: string,
  port: number,
  name: string,
): { readonly place: string; readonly who: string } | null {
  const isTag = meaningOf(readPolicy(text, name));
  const rule = rulesOf(text, name, isTag).find(
    ({ sources, reaches }) => sources.length > 0 && reaches(tag, "tcp", port),
  );
  if (!rule) return null;
  const isAnybody = rule.sources.some((selector) => isTag(selector, ""));
  return { place: rule.place, who: isAnybody ? "every device" : rule.sources.join(", ") };
}
