/** `p2p:firewall`, read and checked. */

import { isIP } from "node:net";
import { canonicalIPv6, mappedIPv4 } from "../hosts/fields";
import { onlyKeys } from "./knownKeys";

export interface FirewallSettings {
  /** Addresses and ranges beside the fleet's own that may reach the daemons, sorted. */
  readonly allow: readonly string[];
  /** By host: its own list in the place of `allow`, or no rule of ours at all. */
  readonly hosts: Readonly<Record<string, { readonly allow: readonly string[] } | "off">>;
}

type Fail = (key: string, expected: string, got: unknown) => void;

const RANGE = "an IPv4 or IPv6 address, or a range such as 192.0.2.0/24";
const RANGES = "a list of IPv4 or IPv6 addresses or ranges such as 192.0.2.0/24";

/**
 * On unless it is turned off: the daemon answers requests that change state, from anybody.
 * @param raw `on`, `off`, or a mapping; undefined stands for `on`
 * @returns null when it is off
 */
export function readFirewall(raw: unknown, fail: Fail): FirewallSettings | null {
  if (raw === undefined || raw === "" || raw === "on" || raw === true) return FIREWALL_ON;
  if (raw === "off" || raw === false) return null;
  if (!isMapping(raw)) {
    fail("firewall", "on, off or a mapping", raw);
    return FIREWALL_ON;
  }
  onlyKeys(raw, "firewall", ["enabled", "allow", "hosts"], fail);
  if (raw["enabled"] === false) return null;
  if (raw["enabled"] !== undefined && raw["enabled"] !== true)
    fail("firewall.enabled", "true or false", raw["enabled"]);
  const hosts = raw["hosts"] ?? {};
  if (!isMapping(hosts)) {
    fail("firewall.hosts", "a mapping of host names", hosts);
    return FIREWALL_ON;
  }
  return {
    allow: readRanges(raw["allow"], "firewall.allow", fail),
    hosts: Object.fromEntries(
      Object.entries(hosts).map(([name, own]) => [
        name,
        readHost(own, `firewall.hosts.${name}`, fail),
      ]),
    ),
  };
}

/**
 * `on`, `off` or a mapping, as it stands in a stack's configuration.
 * @param text the key as text; undefined where it is not set
 */
export function oneWordOr(text: string | undefined, mapping: () => unknown): unknown {
  if (text === undefined || text === "") return undefined;
  if (/^(true|on)$/.test(text)) return "on";
  return /^(false|off)$/.test(text) ? "off" : mapping();
}

/** Where nobody says anything. */
export const FIREWALL_ON: FirewallSettings = { allow: [], hosts: {} };

function readHost(raw: unknown, place: string, fail: Fail): FirewallSettings["hosts"][string] {
  if (raw === "off" || raw === false) return "off";
  if (!isMapping(raw)) {
    fail(place, "off or a mapping with allow", raw);
    return "off";
  }
  onlyKeys(raw, place, ["allow"], fail);
  return { allow: readRanges(raw["allow"], `${place}.allow`, fail) };
}

function readRanges(raw: unknown, place: string, fail: Fail): string[] {
  if (raw === undefined) return [];
  if (!Array.isArray(raw)) {
    fail(place, RANGES, raw);
    return [];
  }
  const good: string[] = [];
  raw.forEach((range: unknown, index) => {
    if (typeof range === "string" && isRange(range)) good.push(plainRange(range));
    else fail(`${place}[${index}]`, wantedFor(range), range);
  });
  return [...new Set(good)].sort();
}

/** What should stand in the place of something that is no range. */
function wantedFor(raw: unknown): string {
  const [address = "", length] = typeof raw === "string" ? raw.split("/") : [];
  if (mappedIPv4(address) !== undefined)
    return "an IPv4 address written as one, for no packet has it as IPv6";
  if (isIP(address) !== 0 && /^0+$/.test(length ?? ""))
    return "less than all addresses (p2p:firewall off lets everybody in)";
  return RANGE;
}

/** An address, or a range with a prefix length from 1: all addresses at once would be no firewall. */
export function isRange(text: string): boolean {
  const [address = "", length, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes("%")) return false;
  if (mappedIPv4(address) !== undefined) return false;
  if (length === undefined) return true;
  const bits = family === 4 ? 32 : 128;
  return /^[1-9]\d{0,2}$/.test(length) && Number(length) <= bits;
}

/** As a rule writes it: IPv6 in its one spelling, for not every tool reads `2001:db8::192.0.2.1`. */
export function plainRange(range: string): string {
  const [address = "", length] = range.split("/");
  const plain = canonicalIPv6(address) ?? address;
  return length === undefined ? plain : `${plain}/${length}`;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
