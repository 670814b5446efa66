import * as crypto from "node:crypto";

import { passphrase } from "./engine";

const unknownMark = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const keys = new Map<string, Buffer>();

/** Key of the passphrase under a state's salt: PBKDF2-SHA256, 1,000,000 rounds (the CLI's own format). */
function keyFor(salt: string): Buffer {
  const known = keys.get(salt);
  if (known) return known;
  const bytes = Buffer.from(salt.split(":")[1] ?? "", "base64");
  const key = crypto.pbkdf2Sync(passphrase, bytes, 1_000_000, 32, "sha256");
  keys.set(salt, key);
  return key;
}

function decrypt(ciphertext: string, salt: string): unknown {
  // A secret inside a secret is plain text there: the outer one is what is encrypted.
  if (!ciphertext.startsWith("v1:")) return JSON.parse(ciphertext);
  const [, nonce = "", data = ""] = ciphertext.split(":");
  const bytes = Buffer.from(data, "base64");
  const decipher = crypto.createDecipheriv(
    "aes-256-gcm",
    keyFor(salt),
    Buffer.from(nonce, "base64"),
  );
  decipher.setAuthTag(bytes.subarray(-16));
  const text = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
  return JSON.parse(text.toString("utf8"));
}

/** A JSON object. */
export type Json = Record<string, unknown>;

/**
 * The value as a person reads it: secrets decrypted to `{ secret: … }`, unknowns named, uuids blanked, keys
 * sorted.
 * @param salt the state's salt; without one encrypted values stay as they are
 */
export function legible(value: unknown, salt = ""): unknown {
  if (typeof value === "string") {
    if (value === unknownMark) return "<unknown>";
    return value.replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>");
  }
  if (Array.isArray(value)) return value.map((item) => legible(item, salt));
  if (typeof value !== "object" || value === null) return value;
  const object = value as Json;
  if (salt !== "" && typeof object["ciphertext"] === "string") {
    return { secret: withoutMarks(legible(decrypt(object["ciphertext"], salt), salt)) };
  }
  const entries = Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, legible(item, salt)]));
}

/** What is inside a secret is secret as a whole; marks further in say nothing. */
function withoutMarks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMarks);
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && keys[0] === "secret") return withoutMarks((value as Json)["secret"]);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutMarks(item)]));
}

/** Fields that say when and where, not what. */
const blanked = ["created", "modified", "sourcePosition", "stackTrace"];

const isEmpty = (value: unknown) =>
  value === undefined ||
  value === false ||
  value === "" ||
  value === null ||
  (typeof value === "object" && Object.keys(value).length === 0);

/** One resource without its times, empty fields and the order of its sets. */
export function normaliseResource(resource: Json): Json {
  const kept = Object.entries(resource).filter(
    ([key, value]) => !blanked.includes(key) && (key === "custom" || !isEmpty(value)),
  );
  return Object.fromEntries(
    kept
      .map(([key, value]) => {
        if (key === "dependencies") return [key, [...(value as string[])].sort()];
        if (key === "propertyDependencies") return [key, normaliseDependencies(value as Json)];
        return [key, value];
      })
      .filter(([, value]) => !isEmpty(value) || value === false),
  ) as Json;
}

function normaliseDependencies(dependencies: Json): Json {
  const full = Object.entries(dependencies).filter(([, urns]) => !isEmpty(urns));
  return Object.fromEntries(full.map(([key, urns]) => [key, [...(urns as string[])].sort()]));
}

/** What an exported state says once ids, times and the order of equals are gone. */
export interface State {
  readonly resources: Json[];
  readonly pending: Json[];
}

/** Reads `stack export`'s text. */
export function normaliseState(text: string): State {
  const parsed = JSON.parse(text) as { deployment: Json | null };
  const deployment = parsed.deployment ?? {};
  const providers = deployment["secrets_providers"] as { state?: { salt?: string } } | undefined;
  const salt = providers?.state?.salt ?? "";
  const list = (key: string) => (deployment[key] as Json[] | undefined) ?? [];
  const resources = list("resources").map((r) => normaliseResource(legible(r, salt) as Json));
  const pending = list("pending_operations").map((operation) => ({
    type: operation["type"],
    resource: (operation["resource"] as Json)["urn"],
  }));
  const key = (resource: Json) => `${String(resource["urn"])} ${String(resource["delete"] ?? "")}`;
  return { resources: resources.sort((a, b) => (key(a) < key(b) ? -1 : 1)), pending };
}
