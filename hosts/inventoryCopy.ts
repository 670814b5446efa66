/** The inventory as the daemon gets it (`p2p:inventoryCopy`). */

import { parseDocument, visit } from "yaml";

const SSH_KEYS = ["ssh_host", "ssh_port", "ssh_user", "ssh_key", "ssh_host_key", "ssh_jump"];

/**
 * The text without the keys that tell how to log in, wherever they stand: a host may take them from another
 * mapping by an anchor or a merge. Comments and order stay.
 * @param text a valid inventory
 */
export function withoutSshDetails(text: string): string {
  const document = parseDocument(text, { merge: true });
  visit(document, {
    Map: (_, map) => {
      for (const key of SSH_KEYS) map.delete(key);
    },
  });
  return document.toString({ lineWidth: 0 });
}
