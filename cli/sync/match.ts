/** Which device of the tailnet is which host's, and what the inventory should say about it. Pure. */

import { isTailnetIPv4 } from "../../hosts/fields";
import { deviceName } from "../../payload/tailnetJoin";

/** A device, as the API or the stack's outputs tell it. */
export interface SeenDevice {
  readonly id: string;
  readonly hostname: string;
  /** MagicDNS name. */
  readonly name: string;
  readonly addresses: readonly string[];
  readonly tags: readonly string[];
  readonly isConnected: boolean;
  /** RFC 3339; empty where that is not known. */
  readonly lastSeen: string;
}

export interface HostAddress {
  readonly host: string;
  /** What the file says; null: nothing. */
  readonly before: string | null;
  /** What it should say; null: the device is gone. */
  readonly after: string | null;
}

export interface Matching {
  /** Hosts whose entry differs, by name. */
  readonly changes: readonly HostAddress[];
  /** Older devices of a host that has a newer one. */
  readonly doubles: readonly { readonly host: string; readonly device: SeenDevice }[];
  /** Devices with the fleet's tags that are no host of the file. */
  readonly unclaimed: readonly SeenDevice[];
}

/**
 * @param hosts every host of the file with its tailnet address
 * @param tags of the fleet's devices
 */
export function matchDevices(
  hosts: ReadonlyMap<string, string | null>,
  devices: readonly SeenDevice[],
  tags: readonly string[],
): Matching {
  const changes: HostAddress[] = [];
  const doubles: { host: string; device: SeenDevice }[] = [];
  const claimed = new Set<SeenDevice>();
  for (const [host, before] of [...hosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const label = deviceName(host);
    const isNamed = (device: SeenDevice) =>
      device.hostname.toLowerCase() === label || device.name.split(".")[0] === label;
    const isRecorded = (device: SeenDevice) => before !== null && device.addresses.includes(before);
    const candidates = devices
      .filter((device) => isNamed(device) || isRecorded(device))
      .sort((a, b) => rank(b, isRecorded) - rank(a, isRecorded) || compare(b.lastSeen, a.lastSeen));
    for (const device of candidates) claimed.add(device);
    const [best, ...rest] = candidates;
    doubles.push(...rest.filter(isNamed).map((device) => ({ host, device })));
    const after = best ? (isRecorded(best) ? before : addressOf(best)) : null;
    if (after !== before) changes.push({ host, before, after });
  }
  const unclaimed = devices.filter(
    (device) => !claimed.has(device) && device.tags.some((tag) => tags.includes(tag)),
  );
  return { changes, doubles, unclaimed };
}

/** A connected device before one that is not, then the one that the file names. */
function rank(device: SeenDevice, isRecorded: (device: SeenDevice) => boolean): number {
  return (device.isConnected ? 2 : 0) + (isRecorded(device) ? 1 : 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function addressOf({ addresses }: SeenDevice): string | null {
  return addresses.find(isTailnetIPv4) ?? null;
}
