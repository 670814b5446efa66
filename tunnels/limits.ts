/** Cloudflare's limits, and what a fleet of some size does to them. */

import { DOMAINS_PER_APPLICATION } from "./access";

/** Connectors of one tunnel (developers.cloudflare.com/cloudflare-one/account-limits). */
export const MAX_REPLICAS = 25;

/** The account's limits from the same page, and the API's (developers.cloudflare.com/api/limits). */
const LIMITS = {
  tunnels: 1000,
  applications: 500,
  serviceTokens: 50,
  /** Calls of one user in five minutes, after which it is shut out for five. */
  calls: 1200,
} as const;

/** Calls for one node: the tunnel, its configuration and its record. */
const CALLS_PER_NODE = 3;

export interface TunnelCounts {
  readonly nodes: number;
  /** Effective voters that may serve the entry, before the limit. */
  readonly voters: number;
  readonly hasEntry: boolean;
  /** Access applications; 0 where Access is off. */
  readonly applications: number;
  readonly serviceTokens: number;
}

/** A warning for each limit that is exceeded, or that the fleet alone fills by nine tenths. */
export function limitWarnings(counts: TunnelCounts): string[] {
  const { nodes, voters, hasEntry, applications, serviceTokens } = counts;
  const tunnels = nodes + (hasEntry ? 1 : 0);
  const calls = tunnels * CALLS_PER_NODE + applications + serviceTokens;
  return [
    ...near(tunnels, LIMITS.tunnels, "tunnels in an account"),
    ...near(applications, LIMITS.applications, "Access applications in an account"),
    ...near(serviceTokens, LIMITS.serviceTokens, "Access service tokens in an account"),
    ...(hasEntry && voters > MAX_REPLICAS
      ? [
          `${voters} voters could serve the entry, and a tunnel takes ${MAX_REPLICAS} connectors: ${voters - MAX_REPLICAS} of them do not`,
        ]
      : []),
    ...(calls > LIMITS.calls
      ? [
          `making everything takes some ${calls} calls, and Cloudflare allows ${LIMITS.calls} in five minutes: bring hosts in by and by, or expect a run that waits and a second one`,
        ]
      : []),
  ];
}

function near(count: number, limit: number, what: string): string[] {
  if (count > limit) return [`${count} of ${what}: Cloudflare allows ${limit}`];
  return count >= limit * 0.9
    ? [`${count} of ${what}, of the ${limit} that Cloudflare allows`]
    : [];
}

/** Fewest applications that can hold the names. */
export function applicationsFor(names: number): number {
  return Math.ceil(names / DOMAINS_PER_APPLICATION);
}
