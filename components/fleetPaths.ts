/** Paths as the program meets them, whether they are on or not. */

import { createHmac } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { type FleetConfig } from "../config";
import { type Inventory } from "../hosts/inventory";
import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { renderNodes, type TunnelUrls } from "../paths/nodes";
import { reusedNumbers } from "../paths/numbers";
import { forwarderContents, forwarderPart } from "../paths/part";
import { type HostPart } from "../payload/spec";
import { ACCESS_TOKEN } from "../payload/tunnelPart";
import { planTunnels } from "../tunnels/plan";

export interface FleetPaths {
  /** What a host gets for its paths; nothing where they are off. */
  partsOf(host: DeployHostPlan): HostPart[];
  /** Texts by digest that go beside the agent. */
  readonly staged: ReadonlyMap<string, string>;
}

/** Ends the program without a stack trace. */
export class NumberError extends pulumi.RunError {}

/**
 * @param previous numbers of the last run's nodes
 * @throws NumberError where a number is another node's now: the daemons would take one for the other
 */
export async function openPaths(
  config: FleetConfig,
  plan: FleetPlan,
  { fleet }: Pick<Inventory, "fleet">,
  previous: Readonly<Record<string, number>>,
): Promise<FleetPaths> {
  const { paths: settings, fleetSecret } = config;
  if (!settings || !fleetSecret) return { partsOf: () => [], staged: new Map() };
  const reused = reusedNumbers(plan, previous);
  if (reused.length > 0) throw new NumberError(reused.join("\n"));
  const urls = urlsOf(config, plan, fleet?.cloudflareEndpoint ?? null);
  const nodes = renderNodes(plan, urls);
  const secret = await secretOf(fleetSecret);
  return {
    staged: new Map(forwarderContents({ nodes })),
    partsOf: (host) => [
      forwarderPart(host, {
        settings,
        nodes,
        secret,
        tailnet: config.tailnet || host.addresses.tailscale !== null ? host.networking : "none",
        accessFile: config.cloudflare?.access ? ACCESS_TOKEN : null,
        servesEntry: plan.entry.includes(host.name),
      }),
    ],
  };
}

/** The tunnels of this stack, and what the inventory says where it has none. */
function urlsOf({ cloudflare }: FleetConfig, plan: FleetPlan, endpoint: string | null): TunnelUrls {
  if (!cloudflare) return { nodes: {}, entry: endpoint };
  const { nodes, entry } = planTunnels(plan, cloudflare);
  return {
    nodes: Object.fromEntries([...nodes].map(([name, { url }]) => [name, url])),
    entry: entry?.url ?? endpoint,
  };
}

/** The secret's text, and a digest keyed by itself: it can be compared, and tells nothing. */
async function secretOf(secret: pulumi.Output<string>) {
  const text = await new Promise<string>((resolve) => {
    pulumi.unsecret(secret).apply(resolve);
  });
  const digest = createHmac("sha256", text).update("p2p fleet secret").digest("hex").slice(0, 32);
  return { text: `${text.trim()}\n`, digest };
}
