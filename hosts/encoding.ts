/** From a file's bytes to its text. */

import { isUtf8 } from "node:buffer";
import { MAX_BYTES } from "./limits";

/**
 * The text of an inventory. Every host gets a copy of it, so no byte may be replaced on the way; and the daemon's
 * reader refuses what is not UTF-8.
 * @throws Error that says what the bytes are instead
 */
export function decodeInventory(bytes: Buffer): string {
  const is16 = [0xfeff, 0xfffe].includes(bytes.length < 2 ? 0 : bytes.readUInt16BE(0));
  if (is16) throw new Error("is UTF-16; save it as UTF-8");
  // A longer one is refused for its length, and may have been cut in the middle of a character.
  if (bytes.length <= MAX_BYTES && !isUtf8(bytes)) throw new Error("is not UTF-8 text");
  return bytes.toString("utf8");
}
