/** What the last finished run left in this stack's own outputs. Comfort only: convergence needs no memory. */

import * as pulumi from "@pulumi/pulumi";
import { type Debt } from "../health/outcome";
import { NO_MEMORY, type TailnetMemory } from "../tailnet/plannedKeys";
import { type LeftNumber } from "../paths/numbers";
import { type DeviceOutput } from "./outputs";
import { type TunnelMemory } from "../tunnels/memory";

export interface PreviousRun {
  readonly debt: Readonly<Record<string, Debt>>;
  /** Digest of the release that was seen healthy, by host. */
  readonly releases: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, DeviceOutput | null>>;
  readonly tailnet: TailnetMemory;
  /** What stands at Cloudflare; null where there were no tunnels. */
  readonly tunnels: TunnelMemory | null;
  /** Node numbers, by host. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Numbers of nodes that left before that. */
  readonly leftNumbers: readonly LeftNumber[];
}

/** Empty on the first run. What it reads is not exported again, or the outputs would nest deeper each run. */
export async function previousRun(): Promise<PreviousRun> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const self = new pulumi.StackReference(name);
  const [debt, hosts, tailnet, tunnels, discovery, left] = await Promise.all([
    self.getOutputDetails("debt"),
    self.getOutputDetails("hosts"),
    self.getOutputDetails("tailnet"),
    self.getOutputDetails("tunnels"),
    self.getOutputDetails("p2pDiscovery"),
    self.getOutputDetails("leftNumbers"),
  ]);
  const states = (hosts.value ?? {}) as Record<
    string,
    { release?: string | null; tailnet?: DeviceOutput | null }
  >;
  const { nodes = {} } = (discovery.value ?? {}) as { nodes?: Record<string, { number: number }> };
  return {
    devices: Object.fromEntries(
      Object.entries(states).map(([host, state]) => [host, state.tailnet ?? null]),
    ),
    tailnet: { ...NO_MEMORY, ...(tailnet.value as Partial<TailnetMemory> | undefined) },
    debt: (debt.value ?? {}) as Record<string, Debt>,
    releases: Object.fromEntries(
      Object.entries(states).flatMap(([host, { release }]) => (release ? [[host, release]] : [])),
    ),
    tunnels: (tunnels.value ?? null) as TunnelMemory | null,
    leftNumbers: (left.value ?? []) as LeftNumber[],
    numbers: Object.fromEntries(Object.entries(nodes).map(([host, { number }]) => [host, number])),
  };
}
