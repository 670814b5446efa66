/** How the controller logs in to a host. */

import { isHostAddress, isUserName } from "../fields";
import { type Fleet, type Host } from "../fleet";
import { type Connection, type Jump } from "./types";

/** Reads `user@host[:port]` (IPv6 in brackets); undefined where it is none. */
export function parseJumpAddress(
  text: string,
): { user: string; host: string; port: number } | undefined {
  const match = /^([^@\s]+)@(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text.trim());
  if (!match) return undefined;
  const user = match[1] ?? "";
  const host = match[2] ?? match[3] ?? "";
  const port = Number(match[4] ?? 22);
  if (!isUserName(user) || !isHostAddress(host) || port < 1 || port > 65_535) return undefined;
  return { user, host, port };
}

/** A name of the file wins over an address; undefined where `ssh_jump` is neither. */
export function findJump(host: Host, fleet: Pick<Fleet, "hosts">): Jump | undefined {
  const text = host.ssh.jump;
  if (text === null) return undefined;
  const named = fleet.hosts.get(text);
  if (named) {
    const { host: address, port, user, keyPath, hostKey } = named.ssh;
    return { name: named.name, host: address, port, user, keyPath, hostKey };
  }
  const address = parseJumpAddress(text);
  return address && { name: null, ...address, keyPath: host.ssh.keyPath, hostKey: null };
}

export function planConnection(host: Host, fleet: Pick<Fleet, "hosts">): Connection {
  const { host: address, port, user, keyPath, hostKey } = host.ssh;
  return { host: address, port, user, keyPath, hostKey, jump: findJump(host, fleet) ?? null };
}
