/**
 * The fleet's part of the tailnet's policy, generated from the plan: who owns its tags, who reaches whom on
 * which port, and the tests that say the same.
 */

import { type FleetPlan } from "../hosts/plan/types";
import { type OwnedEntry, type PolicyPart } from "./mergePolicy";
import { deployedHosts, fleetTags } from "./tags";

/** Carried by effective voters beside the tag of their class. */
export const VOTER_TAG = "tag:p2p-voters";
/**
 * No device carries it: in the tests it stands for every node that is not of the fleet. A policy that lets
 * everybody reach everything lets this one too, and fails them.
 */
export const OUTSIDE_TAG = "tag:p2p-outside";

const SSH_PORT = 22;

export interface PolicyOptions {
  /** Who may give the fleet's tags to a device. @default ["autogroup:admin"] */
  readonly owners: readonly string[];
  /** Who reaches SSH on the fleet's hosts over the tailnet; empty: nobody. */
  readonly sshFrom: readonly string[];
  /** Login names for Tailscale SSH. */
  readonly sshUsers: readonly string[];
  /** TCP ports beside those by which nodes reach each other. */
  readonly morePorts: readonly number[];
  /** Tags of key classes that no host of the plan has yet. */
  readonly moreTags: readonly string[];
}

export function policyPart(plan: FleetPlan, options: PolicyOptions): PolicyPart {
  const tags = fleetTags(plan, options.moreTags);
  const ports = portsOf(plan, options.morePorts);
  return {
    tagOwners: Object.fromEntries([...tags, OUTSIDE_TAG].map((tag) => [tag, options.owners])),
    grants: tags.length === 0 ? [] : [...daemonGrants(tags, ports), ...sshGrants(tags, options)],
    ssh: tags.length === 0 || options.sshFrom.length === 0 ? [] : [sshRule(tags, options)],
    tests: tags.length === 0 ? [] : policyTests(plan, tags, ports),
    sshTests: tags.map((tag) => ({
      why: `${tag} has no SSH session anywhere`,
      value: { src: tag, dst: tags, deny: ["root"] },
    })),
  };
}

/** TCP port to the tags of the hosts on which it is used, by port. */
type Ports = ReadonlyMap<number, readonly string[]>;

function portsOf(plan: FleetPlan, more: readonly number[]): Ports {
  const ports = new Map<number, Set<string>>();
  for (const host of deployedHosts(plan))
    for (const port of [host.networkPort, ...more])
      ports.set(port, new Set([...(ports.get(port) ?? []), ...host.authKey.tags]));
  const sorted = [...ports].sort(([a], [b]) => a - b);
  return new Map(sorted.map(([port, tags]) => [port, [...tags].sort()]));
}

function daemonGrants(tags: readonly string[], ports: Ports): OwnedEntry[] {
  return [...ports].map(([port, to]) => ({
    why: `every node reaches the daemons on ${port}`,
    value: { src: tags, dst: to, ip: [`tcp:${port}`] },
  }));
}

function sshGrants(tags: readonly string[], { sshFrom }: PolicyOptions): OwnedEntry[] {
  if (sshFrom.length === 0) return [];
  const why = "who may log in to the hosts";
  return [{ why, value: { src: sshFrom, dst: tags, ip: [`tcp:${SSH_PORT}`] } }];
}

function sshRule(tags: readonly string[], { sshFrom, sshUsers }: PolicyOptions): OwnedEntry {
  const value = { action: "accept", src: sshFrom, dst: tags, users: sshUsers };
  return { why: "the same for hosts with Tailscale SSH", value };
}

/** One test for every tag, and one for whoever is not of the fleet. */
function policyTests(plan: FleetPlan, tags: readonly string[], ports: Ports): OwnedEntry[] {
  const voters = deployedHosts(plan).filter((host) => host.voter);
  const voterPorts = [...new Set(voters.map((host) => host.networkPort))].sort((a, b) => a - b);
  const accept = voterPorts.map((port) => `${VOTER_TAG}:${port}`);
  const ssh = tags.map((tag) => `${tag}:${SSH_PORT}`);
  const daemons = [...ports].flatMap(([port, to]) => to.map((tag) => `${tag}:${port}`));
  return [
    ...tags.map((tag) => ({
      why: `${tag} reaches every voter's daemon and no SSH`,
      value: { src: tag, proto: "tcp", ...(accept.length > 0 ? { accept } : {}), deny: ssh },
    })),
    {
      why: "a node outside the fleet reaches nothing of it",
      value: { src: OUTSIDE_TAG, proto: "tcp", deny: [...daemons, ...ssh].sort() },
    },
  ];
}
