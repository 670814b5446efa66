/** The file before any rule has looked at it. The raw type stays in this file. */

import { z } from "zod";
import { type DeclaredVoter, type Fleet, type Host, toHost } from "./fleet";
import { type Path, quote, type Report } from "./finding";
import { type Suggest, suggestFrom } from "./near";
import {
  DISCOVERY_SCHEMA,
  FLEET_SCHEMA,
  FOREIGN_FLEET_KEYS,
  FOREIGN_HOST_KEYS,
  HOST_SCHEMA,
  type HostKey,
  type HostValues,
  TRANSPORTS,
  VOTER_SCHEMA,
} from "./schema";

type UnvalidatedMapping = Record<string, unknown>;

/** A host as it stands in the file, for rules about how something is written. */
export interface ReadHost extends Host {
  /** Texts of the file by key, where the value is a scalar. */
  readonly written: ReadonlyMap<string, string>;
}

export interface ReadFleet extends Omit<Fleet, "hosts" | "refused"> {
  readonly hosts: ReadonlyMap<string, ReadHost>;
  /** Other places of the file that name hosts. */
  readonly references: readonly Reference[];
}

export interface Reference {
  readonly path: Path;
  readonly node: string;
  /** True where naming a host that is not deployed loses something. */
  readonly wantsActive: boolean;
}

interface Read {
  readonly fleet: ReadFleet | undefined;
  readonly reports: readonly Report[];
}

const HOST_KEYS: ReadonlySet<string> = new Set([...Object.keys(HOST_SCHEMA), ...FOREIGN_HOST_KEYS]);
const FLEET_KEYS: ReadonlySet<string> = new Set([
  ...Object.keys(FLEET_SCHEMA),
  ...FOREIGN_FLEET_KEYS,
]);

const isMapping = (value: unknown): value is UnvalidatedMapping =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** Splits the file into typed values and reports what has the wrong type; good values of a bad host are kept for other rules. */
export function readUnvalidated(root: unknown): Read {
  if (!isMapping(root)) {
    const what = Array.isArray(root) ? "a list" : root === null ? "nothing" : "a single value";
    return fail(
      "not-a-mapping",
      [],
      `the file holds ${what} where a mapping with \`hosts\` belongs`,
    );
  }
  const hosts = root["hosts"];
  if (!isMapping(hosts) || Object.keys(hosts).length === 0) {
    const near = Object.keys(root).find((key) => key.toLowerCase() === "hosts" || key === "host");
    const what = !("hosts" in root) ? "there is no `hosts`" : "`hosts` lists no host";
    const hint =
      near !== undefined && near !== "hosts"
        ? `Did you mean "hosts" where ${quote(near)} stands?`
        : undefined;
    return fail("no-hosts", "hosts" in root ? ["hosts"] : [], what, hint);
  }
  const reports: Report[] = unknownKeys(root, [], FLEET_KEYS, suggestFrom(FLEET_KEYS));
  const read = new Map<string, ReadHost>();
  const suggestKey = suggestFrom(HOST_KEYS);
  for (const [name, body] of Object.entries(hosts)) {
    reports.push(...nameReports(name));
    if (isMapping(body)) read.set(name, readHost(name, body, reports, suggestKey));
    else {
      const what = body === null ? "nothing" : Array.isArray(body) ? "a list" : quote(body);
      reports.push({
        code: "host-not-a-mapping",
        path: ["hosts", name],
        atKey: true,
        message: `expected a mapping of keys, got ${what}`,
      });
    }
  }
  const discovery = readDiscovery(root["p2p_discovery"], reports);
  const names = Object.keys(hosts);
  const fleet: ReadFleet = {
    hosts: read,
    names,
    suggestName: suggestFrom(names),
    voters: readVoters(root["p2p_voters"], reports),
    ...discovery,
    eloCoordinator: textAt(root, "elo_sync", "coordinator"),
    references: readReferences(root),
  };
  return { fleet, reports };
}

function fail(
  code: "not-a-mapping" | "no-hosts",
  path: Path,
  message: string,
  hint?: string,
): Read {
  return { fleet: undefined, reports: [{ code, path, message, ...(hint ? { hint } : {}) }] };
}

function nameReports(name: string): Report[] {
  if (/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(name)) return [];
  return [
    {
      code: "host-name",
      path: ["hosts", name],
      atKey: true,
      message: `${quote(name)} cannot be a node id: expected 1 to 63 letters, digits, ".", "_" or "-", with a letter or digit at both ends`,
    },
  ];
}

/** null and "" mean the same as an absent key (real files have all three). */
function present(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "";
}

function readHost(
  name: string,
  body: UnvalidatedMapping,
  reports: Report[],
  suggestKey: Suggest,
): ReadHost {
  const path = ["hosts", name];
  const values: Record<string, unknown> = {};
  const written = new Map<string, string>();
  for (const [key, value] of Object.entries(body)) {
    if (!present(value)) continue;
    if (typeof value === "string") written.set(key, value);
    if (!Object.hasOwn(HOST_SCHEMA, key)) continue;
    const result = HOST_SCHEMA[key as HostKey].safeParse(value);
    if (result.success) values[key] = result.data;
    else if (!isPlaceholder(key, value))
      reports.push(...issueReports(result.error, [...path, key]));
  }
  for (const report of unknownKeys(body, path, HOST_KEYS, suggestKey)) reports.push(report);
  return { ...toHost(name, values as HostValues), written };
}

/** What a template left to be filled in: `<public-ip>`, also inside a path or URL, `your-host`, `100.x.x.x`, `TODO`. */
const PLACEHOLDER =
  /<[^<>\s]*>|^<[^<>]*>$|^(.*[@/])?your[-_ ]|^(changeme|todo|tbd|fixme|xxx+)$|^(?=.*x)(\d{1,3}|x{1,3})(\.(\d{1,3}|x{1,3})){3}$/i;

/** Keys that hold prose: there such words say something else. */
const PROSE_KEYS: ReadonlySet<string> = new Set(["note", "gpu"]);

export function isPlaceholder(key: string, value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length <= 200 &&
    !PROSE_KEYS.has(key) &&
    PLACEHOLDER.test(value.trim())
  );
}

function issueReports(error: z.ZodError, path: Path): Report[] {
  return error.issues.map((issue) => ({
    code: "invalid-value",
    path: [...path, ...(issue.path as (string | number)[])],
    message: issue.message,
  }));
}

function unknownKeys(
  body: UnvalidatedMapping,
  path: Path,
  known: ReadonlySet<string>,
  suggest: Suggest,
): Report[] {
  return Object.keys(body)
    .filter((key) => !known.has(key))
    .map((key) => ({
      code: "unknown-key" as const,
      path: [...path, key],
      atKey: true,
      message: "unknown key; it is kept and not used",
      ...suggest(key),
    }));
}

/** Null and empty entries say nothing and are left out; the others keep their place in the file. */
function readVoters(value: unknown, reports: Report[]): readonly DeclaredVoter[] | undefined {
  if (!present(value)) return undefined;
  if (!Array.isArray(value)) {
    reports.push({
      code: "invalid-value",
      path: ["p2p_voters"],
      message: "expected a list of host names",
    });
    return [];
  }
  return (value as unknown[]).flatMap((entry, index) => {
    if (!present(entry)) return [];
    const result = VOTER_SCHEMA.safeParse(entry);
    if (result.success) return [{ node: result.data, index }];
    reports.push(...issueReports(result.error, ["p2p_voters", index]));
    return [];
  });
}

function readDiscovery(value: unknown, reports: Report[]) {
  const defaults = { methods: TRANSPORTS, cloudflareEndpoint: null };
  if (!present(value)) return defaults;
  const path = ["p2p_discovery"];
  if (!isMapping(value)) {
    reports.push({ code: "invalid-value", path, message: "expected a mapping" });
    return defaults;
  }
  const known = new Set(Object.keys(DISCOVERY_SCHEMA));
  for (const report of unknownKeys(value, path, known, suggestFrom(known))) reports.push(report);
  const read = <K extends keyof typeof DISCOVERY_SCHEMA>(key: K) => {
    if (!present(value[key])) return undefined;
    const result = DISCOVERY_SCHEMA[key].safeParse(value[key]);
    if (!result.success) {
      const issues = result.error.issues.map((issue) =>
        issue.code === "invalid_type" ? { ...issue, message: "expected a list of paths" } : issue,
      );
      reports.push(...issueReports(new z.ZodError(issues), [...path, key]));
    }
    return result.data;
  };
  const methods = read("methods") as (typeof TRANSPORTS)[number][] | undefined;
  return {
    methods: methods && methods.length > 0 ? [...new Set(methods)] : TRANSPORTS,
    cloudflareEndpoint: (read("cloudflare_endpoint") as string | undefined) ?? null,
  };
}

function textAt(root: UnvalidatedMapping, section: string, key: string): string | undefined {
  const value = isMapping(root[section]) ? root[section][key] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Lists of host names whose entries should exist; `wantsActive` where a preference is lost otherwise. */
const REFERENCE_LISTS = [
  { section: "sync_routing", key: "priority_hosts", wantsActive: true },
  { section: "sync_routing", key: "excluded_hosts", wantsActive: false },
  { section: "auto_sync", key: "exclude_hosts", wantsActive: false },
  { section: "consolidation", key: "excluded_nodes", wantsActive: false },
  { section: "sync_routing", key: "allowed_external_storage", field: "host", wantsActive: false },
] as const;

function readReferences(root: UnvalidatedMapping): Reference[] {
  const references: Reference[] = [];
  for (const list of REFERENCE_LISTS) {
    const section = root[list.section];
    const entries = isMapping(section) ? section[list.key] : undefined;
    if (!Array.isArray(entries)) continue;
    for (const [index, entry] of (entries as unknown[]).entries()) {
      const path = [list.section, list.key, index, ...("field" in list ? [list.field] : [])];
      const node = "field" in list ? (isMapping(entry) ? entry[list.field] : undefined) : entry;
      // Glob patterns such as `vast-*` are allowed by some readers; they name no single host.
      if (typeof node === "string" && node !== "" && !node.includes("*"))
        references.push({ path, node, wantsActive: list.wantsActive });
    }
  }
  const coordinator = textAt(root, "elo_sync", "coordinator");
  if (coordinator !== undefined)
    references.push({ path: ["elo_sync", "coordinator"], node: coordinator, wantsActive: true });
  return references;
}
