/** Paths as the program meets them, whether they are on or not. */

import * as pulumi from "@pulumi/pulumi";
import { type FleetConfig } from "../config";
import { type Inventory } from "../hosts/inventory";
import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { renderNodes } from "../paths/nodes";
import { reusedNumbers } from "../paths/numbers";
import { forwarderContents, forwarderPart } from "../paths/part";
import { type KnownAddresses } from "../paths/routes";
import { type HostPart } from "../payload/spec";
import { ACCESS_TOKEN } from "../payload/tunnelPart";
import { planTunnels } from "../tunnels/plan";
import { type PreviousRun } from "./previousRun";
import { keyedSecret } from "./secretText";

export interface FleetPaths {
  /** What a host gets for its paths; nothing where they are off. */
  partsOf(host: DeployHostPlan): HostPart[];
  /** Texts by digest that go beside the agent. */
  readonly staged: ReadonlyMap<string, string>;
}

/** Ends the program without a stack trace. */
export class NumberError extends pulumi.RunError {}

/**
 * @param previous numbers of earlier runs' nodes
 * @param now ISO 8601
 * @throws NumberError where a number is or was another node's: the daemons would take one for the other
 */
export async function openPaths(
  config: FleetConfig,
  plan: FleetPlan,
  { fleet }: Pick<Inventory, "fleet">,
  previous: Pick<PreviousRun, "numbers" | "leftNumbers">,
  now: string,
): Promise<FleetPaths> {
  const { paths: settings, fleetSecret, joinAccess } = config;
  if (!settings || !fleetSecret) return { partsOf: () => [], staged: new Map() };
  const reused = reusedNumbers(plan, previous, now);
  if (reused.length > 0) throw new NumberError(reused.join("\n"));
  const known = {
    ...urlsOf(config, plan, fleet?.cloudflareEndpoint ?? null),
    // Not where they are: that is known only once they have joined, in the middle of a run.
    joins: config.tailnet !== null,
  };
  const [nodes, learning] = [renderNodes(plan, known), renderNodes(plan, known, true)];
  const secret = await secretOf(fleetSecret, "p2p fleet secret");
  // A fleet that makes the entry by itself has a token of its own for it.
  const ownAccess = config.cloudflare?.access ?? null;
  const access = ownAccess || !joinAccess ? null : await secretOf(joinAccess, "p2p entry access");
  return {
    staged: new Map([nodes, learning].flatMap((text) => forwarderContents({ nodes: text }))),
    partsOf: (host) => [
      forwarderPart(host, {
        settings,
        nodes: host.entryOnly ? learning : nodes,
        secret,
        tailnet: config.tailnet || host.addresses.tailscale !== null ? host.networking : "none",
        accessFile: ownAccess || access ? ACCESS_TOKEN : null,
        access,
        servesEntry: plan.entry.includes(host.name),
      }),
    ],
  };
}

/** The tunnels of this stack, and what the inventory says where it has none. */
function urlsOf(
  { cloudflare }: FleetConfig,
  plan: FleetPlan,
  endpoint: string | null,
): KnownAddresses {
  if (!cloudflare) return { nodes: {}, entry: endpoint };
  const { nodes, entry } = planTunnels(plan, cloudflare);
  return {
    nodes: Object.fromEntries([...nodes].map(([name, { url }]) => [name, url])),
    entry: entry?.url ?? endpoint,
  };
}

/** As it stands in its file. */
async function secretOf(secret: pulumi.Output<string>, purpose: string) {
  const { text, digest } = await keyedSecret(secret, purpose);
  return { text: `${text.trim()}\n`, digest };
}
