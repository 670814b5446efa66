/** Tunnels as the program meets them, whether there are any or not. */

import * as pulumi from "@pulumi/pulumi";
import { type FleetConfig } from "../config";
import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { type Facts } from "../payload/facts";
import { type HostPart } from "../payload/spec";
import { type TunnelMemory } from "../tunnels/memory";
import { NO_TUNNELS, planTunnels } from "../tunnels/plan";
import { textOf } from "./secretText";
import { cloudflareApi, dropConnections } from "./tunnelConnections";

export interface FleetTunnels {
  /** What a host gets for its tunnels; undefined where it has none. */
  partOf(host: DeployHostPlan): HostPart | undefined;
  /** Why a host has to wait for its tunnel; undefined where it need not. */
  whyWaiting(node: string): string | undefined;
  /** Makes the names known. @param seen facts by host, as far as anybody could look */
  publish(seen: ReadonlyMap<string, Facts | undefined>): Promise<void>;
  /** Settles what the last run had and this one has not. @param mayRun whether a connector may still run there */
  close(mayRun: (node: string) => boolean): Promise<void>;
  urls(): { readonly nodes: Readonly<Record<string, string>>; readonly entry: string | null };
  /** For the next run; null where there are none. */
  memory(): TunnelMemory | null;
}

/** @returns when every tunnel's id is known, or known not to come */
export async function openFleetTunnels(
  config: FleetConfig,
  plan: FleetPlan,
  previous: TunnelMemory | null,
): Promise<FleetTunnels> {
  const { cloudflare: settings, cloudflareSecret, mirror, state } = config;
  if (!settings || !cloudflareSecret) return withoutTunnels(previous);
  const secret = await textOf(cloudflareSecret);
  // The package takes a second to load, so only who has tunnels does.
  const { openTunnels } = await import("./tunnels");
  return openTunnels({
    // A path forwarder lets in nobody but the fleet, and serves it everything.
    settings: config.paths ? { ...settings, paths: "all" } : settings,
    plan,
    tunnels: state === "present" ? planTunnels(plan, settings) : NO_TUNNELS,
    previous,
    secret,
    mirror,
    api: await cloudflareApi(),
  });
}

function withoutTunnels(previous: TunnelMemory | null): FleetTunnels {
  return {
    partOf: () => undefined,
    whyWaiting: () => undefined,
    publish: () => Promise.resolve(),
    urls: () => ({ nodes: {}, entry: null }),
    memory: () => null,
    async close() {
      const gone = Object.values(previous?.tunnels ?? {}).map(({ id }) => id);
      if (!previous || gone.length === 0 || pulumi.runtime.isDryRun()) return;
      const api = await cloudflareApi();
      if (api) await dropConnections(api, previous.accountId, gone);
    },
  };
}
