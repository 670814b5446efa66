import { parseDocument } from "yaml";

/**
 * The inventory with one lab's keys in it: `ssh_key` of every host, and the pinned `ssh_host_key` of those that have
 * one. Everything else stays as it is, comments and order included.
 * @param hostKeys host name → "ssh-ed25519 BASE64"
 */
export function withLabKeys(
  inventory: string,
  operatorKey: string,
  hostKeys: ReadonlyMap<string, string>,
): string {
  const document = parseDocument(inventory);
  for (const name of Object.keys((document.toJS() as { hosts: object }).hosts)) {
    document.setIn(["hosts", name, "ssh_key"], operatorKey);
    const key = hostKeys.get(name);
    if (key !== undefined) document.setIn(["hosts", name, "ssh_host_key"], key);
  }
  return document.toString({ lineWidth: 0 });
}
