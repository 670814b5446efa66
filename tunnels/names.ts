/** DNS names of tunnels: what a node is called, and why a name cannot be used. */

import { domainToASCII } from "node:url";

/** What decides a node's name; a part of the settings. */
export interface TunnelNaming {
  readonly zone: string;
  /** Template with `{node}` and `{zone}`. */
  readonly hostname: string;
  /** Label of the shared entry; null: there is none. */
  readonly entry: string | null;
  /** Requests need a service token where this is set, and the daemon itself sends none. @default null */
  readonly access?: object | null;
}

/** RFC 1035, section 2.3.4. */
const MAX_LABEL = 63;
const MAX_NAME = 253;

/**
 * A node's name in lower case: the host of its `p2p_url`, if that is in the zone, else the template's.
 * @returns null for a `p2p_url` in another zone: that tunnel is somebody else's matter
 */
export function tunnelHostname(
  node: string,
  url: string | null,
  naming: TunnelNaming,
): string | null {
  if (url !== null) {
    const own = new URL(url).hostname.toLowerCase();
    return isInZone(own, naming.zone) ? own : null;
  }
  const text = naming.hostname.replaceAll("{node}", node).replaceAll("{zone}", naming.zone);
  return asciiName(text);
}

export function entryHostname({ entry, zone }: TunnelNaming): string | null {
  return entry === null ? null : asciiName(`${entry}.${zone}`);
}

/** Names outside ASCII in the form that DNS has them; what cannot be brought there stays, to be told as it is. */
function asciiName(text: string): string {
  const lower = text.toLowerCase().replace(/\.$/, "");
  return /^[\x21-\x7e]*$/.test(lower) ? lower : domainToASCII(lower) || lower;
}

function isInZone(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

/**
 * Why Cloudflare could not serve the name; undefined where it can.
 *
 * Universal SSL covers the zone and one level below it
 * (developers.cloudflare.com/ssl/edge-certificates/universal-ssl/limitations).
 */
export function whyUnusable(name: string, zone: string): string | undefined {
  if (!isInZone(name, zone)) return `is not in the zone ${zone}`;
  if (name === zone) return "is the zone itself";
  if (name.length > MAX_NAME) return `has ${name.length} characters, more than ${MAX_NAME}`;
  const labels = name.slice(0, -zone.length - 1).split(".");
  for (const label of labels) {
    if (label.length > MAX_LABEL)
      return `has a label of ${label.length} characters, more than ${MAX_LABEL}`;
    if (!/^[a-z0-9-]+$/.test(label))
      return `has the label ${JSON.stringify(label)}: only letters, digits and "-" can be in one`;
    if (label.startsWith("-") || label.endsWith("-"))
      return `has the label ${JSON.stringify(label)}: one cannot start or end with "-"`;
  }
  if (labels.length > 1)
    return `is ${labels.length} levels below the zone, and the certificate covers one`;
  return undefined;
}
