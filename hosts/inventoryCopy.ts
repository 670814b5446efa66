/** The inventory as the daemon gets it (`p2p:inventoryCopy`). */

import { isMap, parseDocument } from "yaml";

const SSH_KEYS = ["ssh_host", "ssh_port", "ssh_user", "ssh_key", "ssh_host_key", "ssh_jump"];

/** The text without the keys that tell how to log in; comments and order stay. @param text a valid inventory */
export function withoutSshDetails(text: string): string {
  const document = parseDocument(text, { merge: true });
  const hosts = document.get("hosts");
  if (!isMap(hosts)) return text;
  for (const { value } of hosts.items) {
    if (isMap(value)) for (const key of SSH_KEYS) value.delete(key);
  }
  return document.toString({ lineWidth: 0 });
}
