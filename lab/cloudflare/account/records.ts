import { type Account, type Zone } from "./account";

/** A DNS record as the API shows it, in its own spelling. */
export interface DnsRecord {
  readonly id: string;
  readonly zoneId: string;
  /** Full name without a final dot, in lower case. */
  name: string;
  type: string;
  content: string;
  proxied: boolean;
  /** Seconds, 1 for automatic. */
  ttl: number;
  comment: string | null;
  tags: string[];
  settings: Record<string, unknown>;
  priority?: number;
  data?: unknown;
  readonly createdOn: string;
  modifiedOn: string;
}

/** The types that can be proxied. */
export const ADDRESS_TYPES: readonly string[] = ["A", "AAAA", "CNAME"];

/** The full name that a given one stands for: "@" and names without the zone are completed. */
export function fullName(name: string, zone: Zone): string {
  const plain = name.toLowerCase().replace(/\.$/, "");
  if (plain === "@" || plain === zone.name) return zone.name;
  return plain.endsWith(`.${zone.name}`) ? plain : `${plain}.${zone.name}`;
}

/** The records that answer for a host: its own, or else those of the nearest wildcard above it. */
export function recordsFor(account: Account, host: string): DnsRecord[] {
  const all = [...account.records.values()];
  const own = all.filter(({ name }) => name === host);
  if (own.length > 0) return own;
  const labels = host.split(".");
  for (let depth = 1; depth < labels.length; depth++) {
    const parent = labels.slice(depth).join(".");
    const wild = all.filter(({ name }) => name === `*.${parent}`);
    if (wild.length > 0) return wild;
    // A name that exists, or has something below it, keeps wildcards further up from answering (RFC 4592).
    if (all.some(({ name }) => name === parent || name.endsWith(`.${parent}`))) return [];
  }
  return [];
}
