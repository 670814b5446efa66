import { createHash } from "node:crypto";

/** JSON with sorted keys, so that equal values give equal bytes. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item,
  );
}

/** sha256, 64 hex digits. */
export function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Short digest for names of directories: the first 16 hex digits of the sha256 over canonical JSON. */
export function shortDigest(value: unknown): string {
  return sha256(canonicalJson(value)).slice(0, 16);
}
