/**
 * What a policy that is not ours leaves open. In userspace networking it is all that stands before whatever
 * listens on a container's loopback (D8).
 */

import { type DeployHostPlan } from "../hosts/plan/types";
import { LIVE } from "./decidePolicy";
import { openPorts } from "./evaluate";
import { OUTSIDE_TAG } from "./policy";

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
    const rule = openPorts(policy, tag, OUTSIDE_TAG, LIVE);
    if (rule === null) return [];
    const hosts = userspace.filter((host) => host.authKey.tags.includes(tag));
    const names = hosts.map(({ name }) => name).join(", ");
    return [
      `tailnet: its policy lets every device reach every port of ${tag} by ${rule}; in userspace networking that is all that listens on the loopback of ${names}`,
    ];
  });
}
