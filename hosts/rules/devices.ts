/** Names of devices in the tailnet. */

import { quote, type Report } from "../finding";
import { alikeDevices } from "../plan/deviceName";
import { type FleetPlan } from "../plan/types";

const MAX_SHOWN = 5;

/** @param joins hosts are joined to the tailnet; where they are not, there is nothing to say */
export function deviceRules(plan: FleetPlan, joins: boolean): Report[] {
  if (!joins) return [];
  return [...alikeDevices(plan)].flatMap(([name, hosts]) =>
    hosts.map((host) => {
      const others = hosts.filter((other) => other !== host).map((other) => quote(other.name));
      const more = others.length > MAX_SHOWN ? ` and ${others.length - MAX_SHOWN} more` : "";
      return {
        code: "device-collision" as const,
        path: ["hosts", host.name],
        atKey: true,
        message: `its device in the tailnet is called ${quote(name)}, as that of ${others.slice(0, MAX_SHOWN).join(", ")}${more}: nobody can tell them apart by name`,
        hint: "rename one of them, or write tailscale_ip at each",
      };
    }),
  );
}
