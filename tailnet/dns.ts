/** The tailnet's DNS settings: how they differ from what is wanted, and when they are written anew. Pure. */

import { canonicalIPv6 } from "../hosts/fields";

export interface DnsSettings {
  readonly magicDns: boolean;
  readonly nameservers: readonly string[];
  readonly searchPaths: readonly string[];
  readonly overrideLocalDns: boolean;
}

/** What the last finished run left there. */
export interface DnsMemory {
  /** Part of the resource's name: one that is written anew is another resource. */
  readonly generation: string;
  /** What was wanted then. */
  readonly wish: DnsSettings | null;
}

/** `nameservers 192.0.2.53 → 192.0.2.99` for each setting that is another than the wish. */
export function dnsDifferences(wish: DnsSettings, live: DnsSettings): string[] {
  return (Object.keys(wish) as (keyof DnsSettings)[]).flatMap((key) => {
    const [want, is] = [told(wish[key]), told(live[key])];
    return want === is ? [] : [`${key} ${want} → ${is}`];
  });
}

/** As the API tells it: an address in its one spelling, a name in lower case and without the root's dot, each once. */
function told(value: boolean | readonly string[]): string {
  if (typeof value === "boolean") return String(value);
  const plain = value.map((one) => canonicalIPv6(one) ?? one.toLowerCase().replace(/\.$/, ""));
  return [...new Set(plain)].join(",") || "none";
}

/**
 * Somebody's edit is no difference to the engine, which compares wishes with each other: it takes a new resource. An
 * edited wish is a difference by itself.
 * @param live null: nobody could look
 */
export function dnsGeneration(
  wish: DnsSettings,
  live: DnsSettings | null,
  last: DnsMemory | null,
  now: string,
): string {
  if (last === null) return "";
  const isEdited = live !== null && dnsDifferences(wish, live).length > 0;
  const isSameWish = last.wish !== null && dnsDifferences(wish, last.wish).length === 0;
  return isEdited && isSameWish ? now.replace(/[^0-9TZ]/g, "") : last.generation;
}
