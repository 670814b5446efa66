/** The paths to a node with the addresses that others dial, in the order in which they are tried. */

import { hostPort } from "../hosts/plan/addresses";
import { type DeployHostPlan, type TransportKind } from "../hosts/plan/types";

/** Addresses that are known beside the inventory. */
export interface KnownAddresses {
  /** https addresses of this stack's tunnels, by node. */
  readonly nodes: Readonly<Record<string, string>>;
  readonly entry: string | null;
  /** True where this stack joins the hosts to the tailnet: forwarders find them there by name and tag. */
  readonly joins?: boolean;
  /** Tailnet addresses of hosts that were joined, by node; the inventory's wins. */
  readonly devices?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly path: "tailscale" | "cloudflare" | "direct";
  /** `host:port`, or an https URL. */
  readonly address: string;
}

/** What leads to a host; null where a path does not. */
export function knownAddresses(host: DeployHostPlan, known: KnownAddresses) {
  return {
    tailscale: host.addresses.tailscale ?? known.devices?.[host.name] ?? null,
    cloudflare: known.nodes[host.name] ?? host.addresses.cloudflare,
    direct: host.addresses.direct,
  };
}

/** True where a provider's port mapping leads to the host's forwarder. */
export function isMapped({ directPort, networkPort }: DeployHostPlan): boolean {
  return directPort !== networkPort;
}

/** @param methods the fleet's order; the host's own wins where there are path forwarders */
export function routesTo(
  host: DeployHostPlan,
  methods: readonly TransportKind[],
  known: KnownAddresses,
): Route[] {
  const { tailscale, cloudflare, direct } = knownAddresses(host, known);
  const addresses = {
    tailscale: tailscale && hostPort(tailscale, host.networkPort),
    cloudflare,
    direct: direct && hostPort(direct, host.directPort),
  };
  const order = (host.forwarded ? host.methods : null) ?? methods;
  return order.flatMap((path) => {
    const address = path === "relay" || path === "none" ? null : addresses[path];
    return address === null ? [] : [{ path, address } as Route];
  });
}
