/** Policies that nobody has written: a new tailnet's own, and what we start from there. */

import { canonical, readLeniently } from "./hujson";

/**
 * What a tailnet that never had a policy of its own is given instead of Tailscale's default, which lets
 * everybody reach everything: people keep reaching their own devices.
 */
export const BASE_POLICY = `{
  // People reach their own devices. Add your own rules; p2p-fleet changes only the entries it marks.
  "grants": [
    {"src": ["autogroup:member"], "dst": ["autogroup:self"], "ip": ["*"]},
  ],
  "ssh": [
    {"action": "check", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["autogroup:nonroot", "root"]},
  ],
}
`;

const ALLOW_ALL: readonly string[] = [
  { acls: [{ action: "accept", src: ["*"], dst: ["*:*"] }] },
  { acls: [{ action: "accept", users: ["*"], ports: ["*:*"] }] },
  { grants: [{ src: ["*"], dst: ["*"], ip: ["*"] }] },
].map(canonical);

/**
 * True for a policy as a new tailnet has it: one rule that allows everything, perhaps with the rules for
 * Tailscale SSH and Funnel that come with it. The API has the last word (412 when it was edited).
 */
export function isUntouched(text: string): boolean {
  const policy = readLeniently(text);
  const { ssh, nodeAttrs, tagOwners, groups, hosts, tests, ...rules } = policy;
  const own = [tagOwners, groups, hosts, tests].some(
    (part) => part !== undefined && Object.keys(part as object).length > 0,
  );
  const isGiven = (list: unknown) =>
    list === undefined || (Array.isArray(list) && list.length <= 1);
  return !own && isGiven(ssh) && isGiven(nodeAttrs) && ALLOW_ALL.includes(canonical(rules));
}
