/** Node numbers and loopback addresses (D10): derived from the name alone, so that no other host can change them. */

import { createHash } from "node:crypto";
import { isIPv4 } from "node:net";

/** 127.64.0.0/10 has 2^22 addresses; the first and the last two stay unused. */
export const LARGEST_NUMBER = 2 ** 22 - 2;

/** @returns 1 to 4194302, from the SHA-256 of the name */
export function hashNumber(name: string): number {
  return (createHash("sha256").update(name).digest().readUInt32BE(0) % LARGEST_NUMBER) + 1;
}

/** @returns the address in 127.64.0.0/10 that stands for the node on every host */
export function loopbackAddress(number: number): string {
  return `127.${64 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

/** Where a path forwarder takes what is meant for whoever answers at the shared entry; no node has number 0. */
export const ENTRY_PEER = `${loopbackAddress(0)}:8770`;

/** Of 127.64.0.0/10. */
export function isNodeAddress(address: string): boolean {
  const [first, second = 0] = address.split(".").map(Number);
  return isIPv4(address) && first === 127 && second >= 64 && second <= 127;
}

/** The number that the file gives the host, else that of its name. */
export function numberOf(host: {
  readonly name: string;
  readonly number: number | undefined;
}): number {
  return host.number ?? hashNumber(host.name);
}

export function loopbackOf(host: Parameters<typeof numberOf>[0]): string {
  return loopbackAddress(numberOf(host));
}
