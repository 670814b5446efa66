/** `p2p:cloudflare`: a tunnel and a DNS name for every node. Read from the stack's configuration; pure. */

import { domainToASCII } from "node:url";
import { z } from "zod";
import { unknownKeys } from "./knownKeys";
import { entryHostname, whyUnusable } from "../tunnels/names";

/** Existing resources of Cloudflare's that are taken over instead of made. */
export interface Adoption {
  /** Id of a tunnel; null makes one. */
  readonly tunnel: string | null;
  /** Id of a DNS record; null makes one. */
  readonly record: string | null;
}

export interface AccessSettings {
  /** Number of the fleet's service token; a higher one makes a new token beside the old. @default 1 */
  readonly generation: number;
  /** Old service tokens stay until every host has the new one. @default true */
  readonly overlap: boolean;
  /** How long a service token is valid, such as `8760h`. @default 8760h */
  readonly duration: string;
}

export interface CloudflareSettings {
  readonly accountId: string;
  /** Name of the zone in lower case, in ASCII (`xn--` for others). */
  readonly zone: string;
  /** Looked up by its name where it is null. */
  readonly zoneId: string | null;
  /** Template of a node's name. @default {node}.{zone} */
  readonly hostname: string;
  /** Label of the fleet's shared entry; null: there is none. @default p2p */
  readonly entry: string | null;
  /** null leaves the names open to everybody who can guess them. @default on */
  readonly access: AccessSettings | null;
  /** Which paths of the daemon can be reached. @default p2p */
  readonly paths: "p2p" | "all";
  /** How connectors talk to the edge. @default auto */
  readonly protocol: "auto" | "http2" | "quic";
  /** A higher number gives every tunnel a new secret. @default 1 */
  readonly tokenGeneration: number;
  readonly cloudflared: {
    readonly version: string;
    /** sha256 of the vendor's binary, hex, by machine type. */
    readonly sha256: { readonly x86_64: string; readonly aarch64: string };
  };
  /** By node. */
  readonly adopt: Readonly<Record<string, Adoption>>;
  readonly adoptEntry: Adoption;
}

type Fail = (key: string, expected: string, got: unknown) => void;

const NO_ADOPTION: Adoption = { tunnel: null, record: null };

/** Cloudflare's ids of accounts, zones and records. */
const id = z.string().regex(/^[0-9a-f]{32}$/, "an id of 32 hexadecimal digits");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "a sha256 of 64 hexadecimal digits");
const word = "one of";
const number = z.int("an integer from 1 to 1000000").min(1, "1 or more").max(1_000_000);

const adoption = z
  .strictObject({
    tunnel: z.uuid("a tunnel's id (a UUID)").nullable().default(null),
    record: id.nullable().default(null),
  })
  .prefault({});

const schema = z.strictObject({
  accountId: id,
  zone: z.string("a DNS name").transform((text, context) => {
    const ascii = domainToASCII(text.replace(/\.$/, "").toLowerCase());
    if (/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}$/.test(ascii)) return ascii;
    context.addIssue({ code: "custom", message: "a DNS name such as example.com" });
    return z.NEVER;
  }),
  zoneId: id.nullable().default(null),
  hostname: z
    .string("a template such as {node}.{zone}")
    .regex(/\{node\}/, "a template with {node} in it, such as {node}.{zone}")
    .default("{node}.{zone}"),
  entry: z
    .union(
      [z.literal(false), z.string().min(1, "a label such as p2p, or false")],
      "a label such as p2p, or false",
    )
    .default("p2p"),
  access: z.boolean("true or false").default(true),
  accessGeneration: number.default(1),
  accessOverlap: z.boolean("true or false").default(true),
  accessDuration: z
    .string("a duration such as 8760h")
    .regex(/^[1-9]\d*h$/, "a duration in hours such as 8760h")
    .default("8760h"),
  paths: z.enum(["p2p", "all"], `${word} p2p, all`).default("p2p"),
  protocol: z.enum(["auto", "http2", "quic"], `${word} auto, http2, quic`).default("auto"),
  tokenGeneration: number.default(1),
  cloudflared: z.strictObject(
    {
      version: z
        .string("a release such as 2026.8.2")
        .regex(/^\d{4}\.\d{1,2}\.\d+$/, "a release such as 2026.8.2"),
      sha256: z.strictObject({ x86_64: sha256, aarch64: sha256 }, "x86_64 and aarch64"),
    },
    "version and sha256 of the release that hosts run",
  ),
  adopt: z.record(z.string(), adoption, "a mapping of nodes").default({}),
  adoptEntry: adoption,
});

/**
 * @param raw the object under the key; empty where tunnels are off
 * @param fail told of every mistake: key, what is expected, what is there
 * @returns null where tunnels are off, or where a mistake was told
 */
export function readCloudflare(
  raw: Readonly<Record<string, unknown>>,
  fail: Fail,
): CloudflareSettings | null {
  if (Object.keys(raw).length === 0) return null;
  const result = schema.safeParse(raw);
  if (!result.success) {
    for (const issue of result.error.issues) {
      const path = issue.path.map(String);
      const key = ["cloudflare", ...path].join(".");
      if (issue.code === "unrecognized_keys")
        unknownKeys(
          issue.keys,
          key,
          [...Object.keys(schema.shape), "version", "sha256", "tunnel", "record"],
          fail,
        );
      else fail(key, expectationOf(issue), path.reduce<unknown>(step, raw));
    }
    return null;
  }
  const { access, accessGeneration, accessOverlap, accessDuration, entry, ...settings } =
    result.data;
  const label = entry === false ? null : entry.toLowerCase();
  const name = entryHostname({ zone: settings.zone, hostname: settings.hostname, entry: label });
  const why = name === null ? undefined : whyUnusable(name, settings.zone);
  if (why !== undefined)
    fail("cloudflare.entry", `a name that Cloudflare can serve (it ${why})`, entry);
  return {
    ...settings,
    entry: label,
    access: access
      ? { generation: accessGeneration, overlap: accessOverlap, duration: accessDuration }
      : null,
  };
}

function step(value: unknown, key: string): unknown {
  return value !== null && typeof value === "object"
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** The schema's own messages say what is expected; the library's say what is wrong. */
function expectationOf(issue: z.core.$ZodIssue): string {
  return issue.message.startsWith("Invalid input: expected ")
    ? `a ${issue.message.slice("Invalid input: expected ".length).replace(/, received .*$/, "")}`
    : issue.message;
}

export function adoptionOf(settings: CloudflareSettings, node: string): Adoption {
  return Object.hasOwn(settings.adopt, node) ? (settings.adopt[node] as Adoption) : NO_ADOPTION;
}
