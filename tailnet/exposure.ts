/**
 * What a policy that is not ours leaves open. In userspace networking it is all that stands before whatever
 * listens on a container's loopback (D8).
 */

import { type DeployHostPlan } from "../hosts/plan/types";
import { LIVE } from "./decidePolicy";
import { whoReaches } from "./evaluate";

/** A service that nobody would name in a rule: whoever reaches it reaches everything. */
const ANY_PORT = 61_717;

/** @param policy its text; null: nobody here can see it */
export function exposures(userspace: readonly DeployHostPlan[], policy: string | null): string[] {
  if (userspace.length === 0) return [];
  if (policy === null) {
    const names = userspace.map(({ name }) => name).join(", ");
    return [
      `tailnet: nobody here can see its policy; make sure that it opens only the daemons' port on ${names}: in userspace networking it is all that stands before what listens on their loopback`,
    ];
  }
  const tags = [...new Set(userspace.flatMap((host) => host.authKey.tags))].sort();
  return tags.flatMap((tag) => {
    const rule = whoReaches(policy, tag, ANY_PORT, LIVE);
    if (rule === null) return [];
    const hosts = userspace.filter((host) => host.authKey.tags.includes(tag));
    const names = hosts.map(({ name }) => name).join(", ");
    return [
      `tailnet: its policy lets ${rule.who} reach every port of ${tag} by ${rule.place}; in userspace networking that is all that listens on the loopback of ${names}`,
    ];
  });
}

/**
 * Rules that lead around the path forwarders. Userspace networking hands every port to 127.0.0.1, so whoever reaches
 * the daemon's own port there is recorded under that address, and no forwarder has asked who it is.
 * @param policy the text as it will be, ours or not
 */
export function detours(userspace: readonly DeployHostPlan[], policy: string): string[] {
  const ports = new Map<string, Set<string>>();
  for (const host of userspace.filter(({ forwarded }) => forwarded))
    for (const tag of host.authKey.tags) {
      const key = `${tag} ${host.port}`;
      ports.set(key, (ports.get(key) ?? new Set()).add(host.name));
    }
  return [...ports].sort().flatMap(([key, names]) => {
    const [tag = "", port = ""] = key.split(" ");
    const rule = whoReaches(policy, tag, Number(port), LIVE);
    if (rule === null) return [];
    const hosts = [...names].sort().join(", ");
    return [
      `tailnet: its policy opens port ${port} of ${tag} by ${rule.place}: in userspace networking that leads to the daemons of ${hosts} around their forwarders, and they record who comes as 127.0.0.1; close it (docs/paths.md)`,
    ];
  });
}
