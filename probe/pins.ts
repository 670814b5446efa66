/** The keys that have to be pinned before anything is said to a host (D7). */

import { type Connection, type Jump } from "../hosts/plan/types";
import { Untrusted } from "./failure";
import { type HostKey, parseHostKey } from "./hostKey";

/** @throws Untrusted */
export function pinnedKey({ hostKey }: Connection): HostKey {
  if (hostKey === null) throw new Untrusted("no ssh_host_key is pinned");
  const key = parseHostKey(hostKey);
  if (!key) throw new Untrusted("ssh_host_key is no public key");
  return key;
}

/** @throws Untrusted */
export function pinnedJumpKey(jump: Jump): HostKey {
  const where = jump.name ?? `${jump.user}@${jump.host}`;
  if (jump.hostKey === null) {
    throw new Untrusted(
      jump.name === null
        ? `no host key can be pinned for its jump host ${where}: enter that as a host of the file, and name it in ssh_jump`
        : `no ssh_host_key is pinned for its jump host ${where}`,
    );
  }
  const key = parseHostKey(jump.hostKey);
  if (!key) throw new Untrusted(`ssh_host_key of its jump host ${where} is no public key`);
  return key;
}
