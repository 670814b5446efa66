/** Where a daemon can be reached, from what is really bound and filtered on its host. */

import { isLoopback } from "../hosts/fleet";
import { isNodeAddress } from "../hosts/plan/number";
import { type Facts } from "../payload/facts";

export type Bound = "not bound" | "loopback" | "all, firewalled" | "all, exposed";

/** @param port the daemon's */
export function boundOf(facts: Pick<Facts, "listening" | "firewall">, port: number): Bound {
  // Where a path forwarder runs, it listens on that port at the addresses that stand for the other nodes.
  const addresses = facts.listening.filter(
    (socket) => socket.port === port && !isNodeAddress(socket.address),
  );
  if (addresses.length === 0) return "not bound";
  if (addresses.every(({ address }) => isLoopback(address))) return "loopback";
  return facts.firewall?.state === "intact" ? "all, firewalled" : "all, exposed";
}
