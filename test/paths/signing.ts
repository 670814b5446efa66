import { createHmac, randomBytes } from "node:crypto";
import { SECRET } from "./forwarders";

export interface Signing {
  readonly method?: string;
  readonly target?: string;
  readonly sender?: string;
  readonly receiver?: string;
  readonly number?: number;
  readonly time?: number;
  readonly body?: string;
  readonly secret?: string;
}

/** The identity of a request, written down a second time from the protocol's description in docs/paths.md. */
export function identityOf(own: number, signing: Signing = {}): string {
  const { method = "GET", target = "/x", sender: name = "a", receiver = "b", body = "0" } = signing;
  const number = String(signing.number ?? own);
  const time = String(signing.time ?? Date.now());
  const fields = [name, receiver, number, time, randomBytes(12).toString("hex"), body];
  const mac = createHmac("sha256", signing.secret ?? SECRET)
    .update(["p2p1", "request", method, target, ...fields].join("\n"))
    .digest("hex");
  return ["p2p1", ...fields, mac].join(" ");
}
