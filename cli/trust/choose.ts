/** Which hosts are meant, and how each is reached. */

import { type Fleet } from "../../hosts/fleet";
import { suggestFrom } from "../../hosts/near";
import { planConnection } from "../../hosts/plan/connection";
import { type Connection, type FleetPlan } from "../../hosts/plan/types";
import { UsageError } from "../usageError";

export interface Chosen {
  readonly name: string;
  /** Undefined where the file does not say how the host is reached. */
  readonly connection: Connection | undefined;
}

/**
 * @param all every deployed host, and the jump hosts that stand before them
 * @returns in the order of the file
 * @throws UsageError for an unknown name, or for none
 */
export function chooseHosts(
  names: readonly string[],
  all: boolean,
  fleet: Fleet,
  plan: FleetPlan,
): Chosen[] {
  const suggest = suggestFrom(fleet.names);
  for (const name of names) {
    if (!fleet.names.includes(name))
      throw new UsageError(`${JSON.stringify(name)} is not a host of the file`, suggest(name).hint);
  }
  const wanted = new Set(names);
  if (all) {
    for (const host of plan.hosts.values()) {
      if (host.action !== "deploy") continue;
      wanted.add(host.name);
      const jump = host.connection.jump?.name;
      if (jump) wanted.add(jump);
    }
  }
  if (wanted.size === 0)
    throw new UsageError(
      all ? "the file has no host that is deployed" : "no host is named",
      "name hosts, or give --all for every host that is deployed",
    );
  return fleet.names
    .filter((name) => wanted.has(name))
    .map((name) => {
      const host = fleet.hosts.get(name);
      const isReachable = host !== undefined && host.ssh.host !== "";
      return { name, connection: isReachable ? planConnection(host, fleet) : undefined };
    });
}
