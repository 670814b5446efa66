/** Names of tunnels, checked before anything is made at Cloudflare. */

import { entryHostname, tunnelHostname, type TunnelNaming, whyUnusable } from "../../tunnels/names";
import { quote, type Report } from "../finding";
import { type DeployHostPlan, type FleetPlan } from "../plan/types";

const MAX_SHOWN = 5;

/** @param naming undefined where there are no tunnels: then there is nothing to say */
export function tunnelRules(plan: FleetPlan, naming: TunnelNaming | undefined): Report[] {
  if (!naming) return [];
  const deployed = [...plan.hosts.values()].filter((host) => host.action === "deploy");
  const byName = new Map<string, DeployHostPlan[]>();
  const reports: Report[] = [];
  for (const host of deployed) {
    const hostname = tunnelHostname(host.name, host.addresses.cloudflare, naming);
    const why = hostname === null ? undefined : whyUnusable(hostname, naming.zone);
    if (hostname === null) {
      reports.push({
        code: "tunnel-elsewhere",
        path: ["hosts", host.name, "p2p_url"],
        message: `${quote(host.addresses.cloudflare)} is not in the zone ${naming.zone}: the node gets no tunnel`,
      });
    } else if (why !== undefined) {
      const hint = `choose a name with p2p_url, such as https://node-${host.number}.${naming.zone}`;
      reports.push({
        code: "tunnel-name",
        ...place(host),
        message: `its tunnel's name ${quote(hostname)} ${why}`,
        hint,
      });
    } else {
      byName.set(hostname, [...(byName.get(hostname) ?? []), host]);
    }
  }
  const entry = entryHostname(naming);
  return [...reports, ...[...byName].flatMap((group) => collisions(...group, entry))];
}

function collisions(hostname: string, hosts: DeployHostPlan[], entry: string | null): Report[] {
  const isEntry = hostname === entry;
  if (hosts.length < 2 && !isEntry) return [];
  return hosts.map((host) => {
    const others = hosts.filter((other) => other !== host).map(({ name }) => quote(name));
    const more = others.length > MAX_SHOWN ? ` and ${others.length - MAX_SHOWN} more` : "";
    const whose = [
      ...(isEntry ? ["the fleet's entry"] : []),
      ...(others.length > 0 ? [`${others.slice(0, MAX_SHOWN).join(", ")}${more}`] : []),
    ];
    return {
      code: "tunnel-collision" as const,
      ...place(host),
      message: `its tunnel's name ${quote(hostname)} is also that of ${whose.join(" and ")}`,
      hint: "give one of them another name with p2p_url",
    };
  });
}

/** Where the name comes from: `p2p_url`, or the host's own key. */
function place(host: DeployHostPlan): Pick<Report, "path" | "atKey"> {
  return host.addresses.cloudflare === null
    ? { path: ["hosts", host.name], atKey: true }
    : { path: ["hosts", host.name, "p2p_url"] };
}
