/** Who can reach the daemons, and whom the rules cannot know. */

import { unnamedSources } from "../plan/firewall";
import { type PlanOptions } from "../plan/planFleet";
import { type FleetPlan } from "../plan/types";
import { quote, type Report } from "../finding";

export function exposureRules(plan: FleetPlan, { firewall }: PlanOptions): Report[] {
  const exposed = [...plan.hosts.values()].flatMap((host): Report[] => {
    if (host.action !== "deploy" || host.exposure !== "all, exposed") return [];
    const why =
      host.supervisor === "launchd" ? "macOS gets no rules of ours" : "p2p:firewall is off here";
    return [
      {
        code: "exposed",
        path: ["hosts", host.name],
        atKey: true,
        message: `anybody who reaches port ${host.port} can change the daemon's state: it listens on ${host.listen}, and ${why}`,
        hint: "close its ports by another firewall, or turn p2p:paths on: the daemon then listens on the loopback alone",
      },
    ];
  });
  if (firewall === null) return exposed;
  const unnamed = unnamedSources(plan).map((name): Report => {
    const host = plan.hosts.get(name);
    const address = host?.action === "deploy" ? host.connection.host : "";
    return {
      code: "unnamed-source",
      path: ["hosts", name, "ssh_host"],
      message: `it has the direct path alone, and the other hosts' firewalls cannot let it in: ${quote(address)} is a name, or a gateway of several hosts`,
      hint: "put the address from which it comes into p2p:firewall.allow, or join it to the tailnet",
    };
  });
  return [...exposed, ...unnamed];
}
