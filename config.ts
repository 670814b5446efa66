/** The stack's configuration, read once and checked: every mistake is told in one message. */

import * as pulumi from "@pulumi/pulumi";
import { type FleetPolicy, parseShare, type Share } from "./health/policy";
import { type PackageIndex } from "./payload/spec";
import { readTailnet, type TailnetSettings } from "./settings/tailnet";
import { type FirewallSettings, oneWordOr, readFirewall } from "./settings/firewall";
import { type CloudflareSettings, readCloudflare } from "./settings/cloudflare";
import { onlyKeys, unknownSettings } from "./settings/knownKeys";
import { type PathsSettings, readPaths } from "./settings/paths";

export interface FleetConfig {
  /** Path of the inventory. @default ./distributed_hosts.yaml */
  readonly inventory: string;
  readonly controller: string | undefined;
  /** False: nobody looks at the hosts, and the last run's digests decide. @default true */
  readonly probe: boolean;
  /** Logins and scripts at the same time. @default 64 */
  readonly probeParallel: number;
  readonly limit: readonly string[];
  /** Workers that change at the same time. @default 8 */
  readonly maxParallel: number;
  readonly allowQuorumLoss: boolean;
  readonly policy: FleetPolicy;
  readonly takeover: boolean;
  /** `absent` takes everything of ours off every host. @default present */
  readonly state: "present" | "absent";
  readonly source: { readonly repository: string; readonly commit: string } | null;
  readonly packageIndex: PackageIndex;
  readonly aptMirror: string | null;
  readonly inventoryCopy: "whole" | "without-ssh" | "none";
  /** Seconds in which a release must get healthy. @default 120 */
  readonly healthSeconds: number;
  /** Seconds in which the others must count a restarted voter again. @default 120 */
  readonly voterReturnSeconds: number;
  /** null: no rule of ours on any host. @default on */
  readonly firewall: FirewallSettings | null;
  readonly clusterToken: pulumi.Output<string> | undefined;
  readonly requireAuth: boolean;
  /** Base URL that hosts download tools from; null: the vendors' own. */
  readonly mirror: string | null;
  /** null: no tailnet. */
  readonly tailnet: TailnetSettings | null;
  /** A ready key, for teams without access to the API. */
  readonly tailnetAuthKey: pulumi.Output<string> | undefined;
  /** null: no tunnels. */
  readonly cloudflare: CloudflareSettings | null;
  /** What every tunnel's secret is derived from; needed where tunnels are on. */
  readonly cloudflareSecret: pulumi.Output<string> | undefined;
  /** null: nodes reach each other at their own addresses. */
  readonly paths: PathsSettings | null;
  /** By which path forwarders know each other; needed where paths are on. */
  readonly fleetSecret: pulumi.Output<string> | undefined;
  /** JSON with `client_id` and `client_secret`: lets hosts in at the entry of a mesh whose tunnels are not this stack's. */
  readonly joinAccess: pulumi.Output<string> | undefined;
}

/** A mistake in the configuration; ends the program without a stack trace. */
export class ConfigError extends pulumi.RunError {}

const DEFAULT_POLICY = { maxUnreachable: "34%", maxFailed: 0 } as const;

/** @throws ConfigError with every mistake at once */
export function readConfig(config = new pulumi.Config("p2p")): FleetConfig {
  const mistakes: string[] = [];
  const fail = (key: string, expected: string, got: unknown): void => {
    mistakes.push(`p2p:${key}: expected ${expected}, got ${JSON.stringify(got)}`);
  };
  // Pulumi.yaml gives every key a default, so an empty text stands for none.
  const text = (key: string): string | undefined => config.get(key) || undefined;
  const flag = (key: string, fallback: boolean): boolean => {
    const value = oneRun(key) ?? config.get(key);
    if (value === undefined || value === "") return fallback;
    if (/^(true|on)$/.test(value)) return true;
    if (!/^(false|off)$/.test(value)) fail(key, "true or false", value);
    return false;
  };
  const count = (key: string, fallback: number, maximum: number): number => {
    const value = config.get(key);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!Number.isInteger(number) || number < 1 || number > maximum)
      fail(key, `an integer from 1 to ${maximum}`, value);
    return number;
  };
  const choice = <T extends string>(key: string, words: readonly T[], fallback: T): T => {
    const value = config.get(key);
    if (value === undefined) return fallback;
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) fail(key, `one of ${words.join(", ")}`, value);
    return word ?? fallback;
  };
  const object = (key: string): Record<string, unknown> => {
    let value: unknown;
    try {
      value = config.getObject(key);
    } catch {
      fail(key, "a mapping", config.get(key));
    }
    if (value === undefined) return {};
    if (value !== null && typeof value === "object" && !Array.isArray(value))
      return value as Record<string, unknown>;
    fail(key, "a mapping", value);
    return {};
  };

  const fleetSecret = config.getSecret("fleetSecret");
  const result: FleetConfig = {
    inventory: text("inventory") ?? "distributed_hosts.yaml",
    controller: text("controller"),
    probe: flag("probe", true),
    probeParallel: count("probeParallel", 64, 1024),
    limit: readLimit(config, fail),
    maxParallel: count("maxParallel", 8, 512),
    allowQuorumLoss: flag("allowQuorumLoss", false),
    policy: readPolicy(object("policy"), fail),
    takeover: flag("takeover", false),
    state: choice("state", ["present", "absent"], "present"),
    source: readSource(object("source"), fail),
    packageIndex: readIndex(text("packageIndex"), fail),
    aptMirror: readAptMirror(text("aptMirror"), fail),
    inventoryCopy: choice("inventoryCopy", ["whole", "without-ssh", "none"], "whole"),
    healthSeconds: count("healthSeconds", 120, 800),
    voterReturnSeconds: count("voterReturnSeconds", 120, 3600),
    firewall: readFirewall(
      oneWordOr(config.get("firewall"), () => object("firewall")),
      fail,
    ),
    clusterToken: config.getSecret("clusterToken"),
    requireAuth: flag("requireAuth", false),
    mirror: readMirror(text("mirror"), fail),
    tailnet: readTailnet(object("tailnet"), fail),
    tailnetAuthKey: config.getSecret("tailnetAuthKey"),
    cloudflare: readCloudflare(object("cloudflare"), fail),
    cloudflareSecret: config.getSecret("cloudflareSecret"),
    paths: readPaths(
      object("paths"),
      {
        hasSecret: fleetSecret !== undefined,
        hasNetwork: ["tailnet", "cloudflare"].some((key) => Object.keys(object(key)).length > 0),
      },
      fail,
    ),
    fleetSecret,
    joinAccess: config.getSecret("joinAccess"),
  };
  if (result.requireAuth && result.clusterToken === undefined)
    mistakes.push("p2p:requireAuth: needs p2p:clusterToken, or the daemons would not start");
  if (result.cloudflare && result.cloudflareSecret === undefined)
    mistakes.push("p2p:cloudflare: needs p2p:cloudflareSecret, of which tunnels' secrets are made");
  // Every setting is a key of the result.
  mistakes.push(...unknownSettings(ownKeys(), Object.keys(result)));
  if (mistakes.length > 0) throw new ConfigError(mistakes.join("\n"));
  for (const key of secretsInClear())
    void pulumi.log.warn(
      `p2p:${key}: stands in clear in the stack's settings; take another one, and pulumi config set --secret p2p:${key}`,
    );
  return result;
}

const SECRETS: readonly string[] = [
  "clusterToken",
  "cloudflareSecret",
  "fleetSecret",
  "joinAccess",
  "tailnetAuthKey",
] satisfies (keyof FleetConfig)[];

/** Secrets that were set without `--secret`: whoever reads the repository has them. */
function secretsInClear(): string[] {
  const encrypted: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] || "[]");
  const isEncrypted = (key: string) => Array.isArray(encrypted) && encrypted.includes(`p2p:${key}`);
  return ownKeys().filter((key) => SECRETS.includes(key) && !isEncrypted(key));
}

/** Keys of the stack's configuration that are this program's. */
function ownKeys(): string[] {
  const keys = Object.keys(pulumi.runtime.allConfig());
  return keys.flatMap((key) => (key.startsWith("p2p:") ? [key.slice("p2p:".length)] : []));
}

/** Settings that are meant for one run, and would stay if they were written into the stack's configuration. */
const ONE_RUN: Readonly<Record<string, string>> = {
  limit: "P2P_LIMIT",
  allowQuorumLoss: "P2P_ALLOW_QUORUM_LOSS",
};

function oneRun(key: string): string | undefined {
  const variable = ONE_RUN[key];
  return variable === undefined ? undefined : process.env[variable];
}

/** A list, or names separated by commas or blanks, as one types them on a command line. */
function readLimit(config: pulumi.Config, fail: Fail): string[] {
  const text = oneRun("limit") ?? config.get("limit") ?? "";
  if (text.trim().startsWith("[")) {
    try {
      return (JSON.parse(text) as unknown[]).map(String);
    } catch {
      fail("limit", "host patterns", text);
      return [];
    }
  }
  return text.split(/[\s,]+/).filter((pattern) => pattern !== "");
}

type Fail = (key: string, expected: string, got: unknown) => void;

/** `{maxUnreachable, maxFailed}` for all, or the same below `workers` and `voters`. */
function readPolicy(raw: Record<string, unknown>, fail: Fail): FleetPolicy {
  const share = (from: Record<string, unknown>, key: string, place: string, fallback: Share) => {
    if (from[key] === undefined) return fallback;
    const value = parseShare(from[key]);
    if (value === undefined)
      fail(`policy.${place}${key}`, "a count or a share such as 25%", from[key]);
    return value ?? fallback;
  };
  const policy = (
    from: Record<string, unknown>,
    place: string,
    fallback: FleetPolicy["workers"],
  ) => ({
    maxUnreachable: share(from, "maxUnreachable", place, fallback.maxUnreachable),
    maxFailed: share(from, "maxFailed", place, fallback.maxFailed),
  });
  const known = ["maxUnreachable", "maxFailed", "workers", "voters"];
  onlyKeys(raw, "policy", known, fail);
  const all = policy(raw, "", DEFAULT_POLICY);
  const part = (key: "workers" | "voters") => {
    const value = raw[key];
    if (value === undefined) return all;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      onlyKeys(value, `policy.${key}`, ["maxUnreachable", "maxFailed"], fail);
      return policy(value as Record<string, unknown>, `${key}.`, all);
    }
    fail(`policy.${key}`, "a mapping", value);
    return all;
  };
  return { workers: part("workers"), voters: part("voters") };
}

function readSource(raw: Record<string, unknown>, fail: Fail): FleetConfig["source"] {
  if (Object.keys(raw).length === 0) return null;
  onlyKeys(raw, "source", ["repository", "commit"], fail);
  const { repository, commit } = raw;
  if (typeof repository !== "string" || repository === "" || repository.startsWith("-"))
    fail("source.repository", "the address of a repository", repository);
  if (typeof commit !== "string" || !/^[0-9a-f]{40}$/.test(commit))
    fail("source.commit", "a full commit id (40 hexadecimal digits)", commit);
  return { repository: String(repository), commit: String(commit) };
}

function readMirror(value: string | undefined, fail: Fail): string | null {
  if (value === undefined) return null;
  if (!URL.canParse(value) || !/^https?:/.test(value))
    fail("mirror", "the base URL of a mirror", value);
  return value.replace(/\/+$/, "");
}

/** Whatever apt takes: it knows more kinds of URLs than http. */
function readAptMirror(value: string | undefined, fail: Fail): string | null {
  if (value === undefined) return null;
  if (!URL.canParse(value)) fail("aptMirror", "the base URL of a Debian mirror", value);
  return value;
}

/** An http(s) URL is an index, an absolute path a wheelhouse on the hosts. */
function readIndex(value: string | undefined, fail: Fail): PackageIndex {
  if (value === undefined) return { kind: "default" };
  if (value.startsWith("/")) return { kind: "wheelhouse", path: value };
  if (URL.canParse(value) && /^https?:/.test(value)) return { kind: "index", url: value };
  fail("packageIndex", "the URL of a package index, or an absolute path on the hosts", value);
  return { kind: "default" };
}
