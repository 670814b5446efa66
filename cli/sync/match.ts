/** Which device of the tailnet is which host's, and what the inventory should say about it. Pure. */

import { isTailnetIPv4 } from "../../hosts/fields";
import { deviceName } from "../../hosts/plan/deviceName";

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
  /** Other devices that are called like a host. */
  readonly doubles: readonly { readonly host: string; readonly device: SeenDevice }[];
  /** Hosts whose devices are called alike: what the file says of them stays. */
  readonly alike: readonly string[];
  /** Devices with the fleet's tags that no host in use of the file has. */
  readonly unclaimed: readonly SeenDevice[];
}

/**
 * @param hosts every host of the file with its tailnet address
 * @param tags of the fleet's devices
 * @param isComplete false: a host without a device may have one, and keeps its address
 */
export function matchDevices(
  hosts: ReadonlyMap<string, string | null>,
  devices: readonly SeenDevice[],
  tags: readonly string[],
  isComplete = true,
): Matching {
  const names = [...hosts.keys()].map(deviceName);
  const labels = new Set(names);
  const alike: string[] = [];
  // One whose name was taken has another: `gpu-7-1` still says that it is `gpu-7`.
  const labelOf = ({ hostname, name }: SeenDevice): string => {
    const own = hostname.toLowerCase();
    return labels.has(own) ? own : (name.split(".")[0]?.toLowerCase() ?? own);
  };
  const isTagged = (device: SeenDevice) => device.tags.some((tag) => tags.includes(tag));
  const changes: HostAddress[] = [];
  const doubles: { host: string; device: SeenDevice }[] = [];
  const claimed = new Set<SeenDevice>();
  for (const [host, before] of [...hosts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const label = deviceName(host);
    const isNamed = (device: SeenDevice) => labelOf(device) === label;
    const isRecorded = (device: SeenDevice) =>
      before !== null &&
      device.addresses.includes(before) &&
      (isNamed(device) || !labels.has(labelOf(device)));
    const rank = (device: SeenDevice) => rankOf(device, isRecorded(device), isTagged(device));
    const candidates = devices
      .filter((device) => isNamed(device) || isRecorded(device))
      .sort((a, b) => rank(b) - rank(a) || compare(b.lastSeen, a.lastSeen));
    for (const device of candidates) claimed.add(device);
    const [best, ...rest] = candidates;
    if (names.indexOf(label) !== names.lastIndexOf(label)) {
      alike.push(host);
      continue;
    }
    doubles.push(...rest.filter(isNamed).map((device) => ({ host, device })));
    const missing = isComplete ? null : before;
    const after = best ? (isRecorded(best) ? before : addressOf(best)) : missing;
    if (after !== before) changes.push({ host, before, after });
  }
  const unclaimed = devices.filter((device) => !claimed.has(device) && isTagged(device));
  return { changes, doubles, alike, unclaimed };
}

/**
 * What the file names and is connected, stays. Then one with the fleet's tags before somebody's own device that is
 * called the same, a connected one before one that is not, and the one that the file names.
 */
function rankOf({ isConnected }: SeenDevice, isRecorded: boolean, isTagged: boolean): number {
  const weights = [isRecorded && isConnected, isTagged, isConnected, isRecorded];
  return weights.reduce((rank, weight) => rank * 2 + Number(weight), 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function addressOf({ addresses }: SeenDevice): string | null {
  return addresses.find(isTailnetIPv4) ?? null;
}
