/** What leads to each host: addresses of the inventory, and the paths that this stack makes beside them. */

import { type Fleet, type Host } from "../fleet";
import { tunnelHostname, type TunnelNaming, whyUnusable } from "../../tunnels/names";
import { addressesOf, isRoutable, NO_WAYS, sharedSshHosts } from "./addresses";
import { type PlannedPath, type TransportKind, type Ways } from "./types";

/** What is made beside the inventory; the same names as in the plan's options. */
export interface Making {
  readonly tunnels?: TunnelNaming;
  /** Hosts are joined to the tailnet. */
  readonly tailnet?: boolean;
  readonly paths?: { readonly inboundPort: number };
}

/** The deployed hosts' ways, and what follows from them. */
export class FleetWays {
  private readonly ways: ReadonlyMap<string, Ways>;

  constructor(
    private readonly fleet: Fleet,
    private readonly deployed: readonly Host[],
    private readonly making: Making,
  ) {
    const shared = sharedSshHosts(fleet);
    this.ways = new Map(
      deployed.map((host) => {
        const addresses = addressesOf(host, shared, making.paths !== undefined);
        return [host.name, { addresses, planned: plannedPaths(host, addresses, making) }];
      }),
    );
  }

  of(node: string): Ways {
    return this.ways.get(node) ?? NO_WAYS;
  }

  /** Paths to a host in the order they are tried; daemons without a forwarder know the fleet's order only. */
  methods(host: Host): readonly TransportKind[] {
    return this.making.paths ? (host.methods ?? this.fleet.methods) : this.fleet.methods;
  }

  isReachable = (node: string): boolean => {
    const host = this.fleet.hosts.get(node);
    return host !== undefined && isRoutable(this.of(node), this.methods(host));
  };

  /**
   * True where the shared entry of the inventory is all that a host knows of the mesh: no way of its own leads to
   * any of the nodes from which one starts, and it does not serve the entry itself.
   */
  isEntryOnly(host: Host, entryPoints: readonly string[]): boolean {
    const { cloudflareEndpoint, methods } = this.fleet;
    if (!this.making.paths || cloudflareEndpoint === null || !methods.includes("cloudflare"))
      return false;
    return !entryPoints.some((node) => node === host.name || this.reaches(host, node));
  }

  private reaches(from: Host, node: string): boolean {
    const peer = this.deployed.find(({ name }) => name === node);
    if (!peer) return false;
    const isOnTailnet = this.making.tailnet === true || this.of(from.name).addresses.tailscale;
    const methods = this.methods(peer).filter((method) => method !== "tailscale" || isOnTailnet);
    return isRoutable(this.of(node), methods);
  }
}

function plannedPaths(host: Host, addresses: Ways["addresses"], making: Making): PlannedPath[] {
  const { tunnels, tailnet, paths } = making;
  if (!paths) return [];
  const name = tunnels && tunnelHostname(host.name, addresses.cloudflare, tunnels);
  const isTunnelled = tunnels && name && whyUnusable(name, tunnels.zone) === undefined;
  return [
    ...(tailnet && addresses.tailscale === null ? (["tailscale"] as const) : []),
    ...(isTunnelled && addresses.cloudflare === null ? (["cloudflare"] as const) : []),
  ];
}
