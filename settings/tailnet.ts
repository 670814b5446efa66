/** `p2p:tailnet`, read and checked. */

import { type DnsSettings } from "../tailnet/dns";
import { onlyKeys } from "./knownKeys";

export interface TailnetSettings {
  /** Version of tailscale and tailscaled on the hosts. */
  readonly version: string;
  /** sha256 of the vendor's static archive by architecture; null: no host of that kind can get it. */
  readonly sha256: { readonly x86_64: string | null; readonly aarch64: string | null };
  /** URL of another control server; null: Tailscale's. */
  readonly loginServer: string | null;
  /** Minutes for which the key of a host that is joined now is good. */
  readonly keyMinutes: number;
  readonly policy: {
    /** False: the team manages its policy elsewhere. */
    readonly manage: boolean;
    /** Path of the team's own base policy; null: what the tailnet has is the base. */
    readonly base: string | null;
    readonly existing: "refuse" | "adopt" | "overwrite";
    /** Who may give the fleet's tags to a device. */
    readonly owners: readonly string[];
    readonly sshFrom: readonly string[];
    readonly sshUsers: readonly string[];
  };
  /** Key classes for start scripts by name, such as `vast-nodes`. */
  readonly classes: Readonly<
    Record<string, { readonly days: number; readonly ephemeral: boolean }>
  >;
  /** null leaves the tailnet's DNS alone. */
  readonly dns: DnsSettings | null;
}

type Fail = (key: string, expected: string, got: unknown) => void;

/** An empty object, or `enabled: false`, turns the tailnet off. */
export function readTailnet(raw: Record<string, unknown>, fail: Fail): TailnetSettings | null {
  if (Object.keys(raw).length === 0) return null;
  const top = reader(raw, "tailnet", fail, [
    "enabled",
    "version",
    "sha256",
    "loginServer",
    "keyMinutes",
    "policy",
    "classes",
    "dns",
  ]);
  if (!top.flag("enabled", true)) return null;
  const version = top.text("version", /^\d+\.\d+\.\d+$/, "a version such as 1.102.2");
  if (version === null) fail("tailnet.version", "a version such as 1.102.2", undefined);
  const sums = reader(top.object("sha256"), "tailnet.sha256", fail, ["x86_64", "aarch64"]);
  const policy = reader(top.object("policy"), "tailnet.policy", fail, [
    "manage",
    "base",
    "existing",
    "owners",
    "ssh",
  ]);
  const ssh = reader(policy.object("ssh"), "tailnet.policy.ssh", fail, ["from", "users"]);
  const sha256 = { x86_64: checksum(sums, "x86_64"), aarch64: checksum(sums, "aarch64") };
  if (sha256.x86_64 === null && sha256.aarch64 === null)
    fail("tailnet.sha256", "the archive's checksum for x86_64 or aarch64", raw["sha256"]);
  return {
    version: version ?? "",
    sha256,
    loginServer: top.text("loginServer", /^https?:\/\/[^\s/]+$/, "a URL without a path"),
    keyMinutes: top.count("keyMinutes", 30, 1440),
    policy: {
      manage: policy.flag("manage", true),
      base: policy.text("base", /./, "a path"),
      existing: policy.choice("existing", ["refuse", "adopt", "overwrite"], "refuse"),
      owners: policy.texts("owners", ["autogroup:admin"]),
      sshFrom: ssh.texts("from", []),
      sshUsers: ssh.texts("users", ["autogroup:nonroot", "root"]),
    },
    classes: classesOf(top.object("classes"), fail),
    dns: dnsOf(raw["dns"], top.object("dns"), fail),
  };
}

function checksum(sums: Reader, key: string): string | null {
  return sums.text(key, /^[0-9a-f]{64}$/, "64 hexadecimal digits");
}

function classesOf(raw: Record<string, unknown>, fail: Fail): TailnetSettings["classes"] {
  const names = Object.keys(raw);
  for (const name of names)
    if (!/^[a-z][a-z0-9-]*$/.test(name))
      fail("tailnet.classes", "names of lower case letters, digits and hyphens", name);
  const all = reader(raw, "tailnet.classes", fail, names);
  return Object.fromEntries(
    names.map((name) => {
      const one = reader(all.object(name), `tailnet.classes.${name}`, fail, ["days", "ephemeral"]);
      return [name, { days: one.count("days", 90, 90), ephemeral: one.flag("ephemeral", false) }];
    }),
  );
}

function dnsOf(raw: unknown, dns: Record<string, unknown>, fail: Fail): TailnetSettings["dns"] {
  if (raw === undefined) return null;
  const known = ["magicDns", "nameservers", "searchPaths", "overrideLocalDns"];
  const one = reader(dns, "tailnet.dns", fail, known);
  return {
    magicDns: one.flag("magicDns", true),
    nameservers: one.texts("nameservers", []),
    searchPaths: one.texts("searchPaths", []),
    overrideLocalDns: one.flag("overrideLocalDns", false),
  };
}

type Reader = ReturnType<typeof reader>;

/** Typed looks at an object of which only some keys are known. */
function reader(raw: Record<string, unknown>, place: string, fail: Fail, known: readonly string[]) {
  onlyKeys(raw, place, known, fail);
  return {
    flag(key: string, fallback: boolean): boolean {
      const value = raw[key] ?? fallback;
      if (typeof value !== "boolean") fail(`${place}.${key}`, "true or false", value);
      return value === true;
    },
    text(key: string, pattern: RegExp, expected: string): string | null {
      const value = raw[key] ?? null;
      if (value === null) return null;
      if (typeof value === "string" && pattern.test(value)) return value;
      fail(`${place}.${key}`, expected, value);
      return null;
    },
    texts(key: string, fallback: readonly string[]): readonly string[] {
      const value = raw[key] ?? fallback;
      if (Array.isArray(value) && value.every((item) => typeof item === "string" && item !== ""))
        return value as string[];
      fail(`${place}.${key}`, "a list of texts", value);
      return fallback;
    },
    count(key: string, fallback: number, maximum: number): number {
      const value = raw[key] ?? fallback;
      if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maximum)
        return Number(value);
      fail(`${place}.${key}`, `an integer from 1 to ${maximum}`, value);
      return fallback;
    },
    choice<T extends string>(key: string, words: readonly T[], fallback: T): T {
      const value = raw[key] ?? fallback;
      const word = words.find((candidate) => candidate === value);
      if (word === undefined) fail(`${place}.${key}`, `one of ${words.join(", ")}`, value);
      return word ?? fallback;
    },
    object(key: string): Record<string, unknown> {
      const value = raw[key] ?? {};
      if (typeof value === "object" && !Array.isArray(value))
        return value as Record<string, unknown>;
      fail(`${place}.${key}`, "a mapping", value);
      return {};
    },
  };
}
