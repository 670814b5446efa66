/** Where a daemon can be reached, from what is really bound and filtered on its host. */

import { isLoopback } from "../hosts/fleet";
import { type Facts } from "../payload/facts";

export type Bound = "not bound" | "loopback" | "all, firewalled" | "all, exposed";

/** @param port the daemon's */
export function boundOf(facts: Pick<Facts, "listening" | "firewall">, port: number): Bound {
  const addresses = facts.listening.filter((socket) => socket.port === port);
  if (addresses.length === 0) return "not bound";
  if (addresses.every(({ address }) => isLoopback(address))) return "loopback";
  return facts.firewall?.state === "intact" ? "all, firewalled" : "all, exposed";
}
