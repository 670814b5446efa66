import { type DeployHostPlan, type FleetPlan } from "../../hosts/plan/types";
import { planOf } from "../payload/plans";

/** A plan of some deployed hosts: name to provider, whether it votes, and its port. */
export function fleetOf(
  hosts: Readonly<Record<string, Partial<DeployHostPlan> & { provider: string }>>,
): FleetPlan {
  const entries = Object.entries(hosts).map(([name, changes]): [string, DeployHostPlan] => {
    const isVoter = changes.voter ?? false;
    const tags = [`tag:${changes.provider}-nodes`, ...(isVoter ? ["tag:p2p-voters"] : [])].sort();
    const authKey = { class: `${changes.provider}-nodes`, tags };
    return [name, planOf({ name, voter: isVoter, authKey, ...changes })];
  });
  const voters = entries.filter(([, host]) => host.voter).map(([name]) => name);
  return {
    hosts: new Map(entries),
    voters: { declared: voters, effective: voters, rejected: [], quorum: 1, margin: 0 },
    relays: [],
    coordinator: null,
    entry: voters,
    methods: ["tailscale", "direct"],
  };
}

export const OPTIONS = {
  owners: ["autogroup:admin"],
  sshFrom: [],
  sshUsers: ["root"],
  morePorts: [],
  moreTags: [],
};
