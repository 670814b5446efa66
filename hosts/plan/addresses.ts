/** The addresses at which other nodes can reach a host, and the path they take. */

import { BlockList, isIP } from "node:net";
import { isTailnetIPv4, isTailnetIPv6 } from "../fields";
import { type Fleet, type Host, isListed, isLoopback } from "../fleet";
import { type Addresses, type PlannedPath, type TransportKind, type Ways } from "./types";

export const NO_ADDRESSES: Addresses = { tailscale: null, cloudflare: null, direct: null };
export const NO_WAYS: Ways = { addresses: NO_ADDRESSES, planned: [] };

/** True when heartbeats go through a relay: either flag is enough, a `false` of the other does not cancel it. */
export function isRelayed(host: Host): boolean {
  return host.natBlocked || host.forceRelay;
}

export function relayReason(host: Host): string | null {
  if (host.natBlocked && !host.forceRelay) return "nat_blocked";
  if (host.forceRelay && !host.natBlocked) return "force_relay_mode";
  return host.natBlocked ? "nat_blocked and force_relay_mode" : null;
}

/** Names and addresses that several hosts share for SSH: gateways, which lead to none of them on another port. */
export function sharedSshHosts(fleet: Pick<Fleet, "hosts">): ReadonlySet<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const host of fleet.hosts.values()) {
    const address = host.ssh.host.toLowerCase();
    (seen.has(address) ? shared : seen).add(address);
  }
  return shared;
}

/** Addresses that are no host's: unspecified, multicast, reserved (RFC 6890). */
const NOBODY = new BlockList();
NOBODY.addSubnet("0.0.0.0", 8, "ipv4");
NOBODY.addSubnet("224.0.0.0", 3, "ipv4");
NOBODY.addAddress("::", "ipv6");
NOBODY.addSubnet("ff00::", 8, "ipv6");

/** RFC 1918, carrier NAT, link-local and RFC 4193 addresses lead nowhere from another site. */
const PRIVATE = new BlockList();
PRIVATE.addSubnet("10.0.0.0", 8, "ipv4");
PRIVATE.addSubnet("100.64.0.0", 10, "ipv4");
PRIVATE.addSubnet("172.16.0.0", 12, "ipv4");
PRIVATE.addSubnet("192.168.0.0", 16, "ipv4");
PRIVATE.addSubnet("169.254.0.0", 16, "ipv4");
PRIVATE.addSubnet("fe80::", 10, "ipv6");
PRIVATE.addSubnet("fc00::", 7, "ipv6");

/** Providers whose SSH host names are gateways to containers. */
const GATEWAY_PROVIDERS: ReadonlySet<string> = new Set(["vast", "runpod"]);

/** A port mapping of the provider's leads to the path forwarder of a host that nothing else leads to. */
function isMapped(host: Host, isForwarded: boolean): boolean {
  const { publicHost, publicPort, natBlocked } = host;
  return isForwarded && publicHost !== undefined && publicPort !== undefined && !natBlocked;
}

function directAddress(
  host: Host,
  shared: ReadonlySet<string>,
  isForwarded: boolean,
): string | null {
  // A container's daemon listens on its loopback, and nobody gets through a blocking NAT.
  if ((host.isContainer || isRelayed(host)) && !isMapped(host, isForwarded)) return null;
  const address = host.publicHost ?? host.ssh.host;
  if (address === "" || isLoopback(address) || isListed(address, NOBODY)) return null;
  if (isTailnetIPv4(address) || isTailnetIPv6(address)) return null;
  if (shared.has(address.toLowerCase()) && !isMapped(host, isForwarded)) return null;
  if (host.publicHost !== undefined) return address;
  const isGateway = isIP(address) === 0 && GATEWAY_PROVIDERS.has(host.provider);
  return isGateway || isListed(address, PRIVATE) || host.ssh.jump !== null ? null : address;
}

/** @param isForwarded whether nodes reach each other through the path forwarders */
export function addressesOf(
  host: Host,
  shared: ReadonlySet<string>,
  isForwarded: boolean,
): Addresses {
  return {
    tailscale: host.tailnetAddress,
    cloudflare: host.url,
    direct: directAddress(host, shared, isForwarded),
  };
}

/** True where one of the methods leads to the node itself; a relay is no address. */
export function isRoutable(
  { addresses, planned }: Ways,
  methods: readonly TransportKind[],
): boolean {
  return methods.some((method) => {
    if (method === "relay" || method === "none") return false;
    return addresses[method] !== null || (method !== "direct" && planned.includes(method));
  });
}

const WHY: Readonly<Record<keyof Addresses, string>> = {
  tailscale: "tailnet address",
  cloudflare: "p2p_url",
  direct: "public address",
};

const WHY_PLANNED: Readonly<Record<PlannedPath, string>> = {
  tailscale: "this stack joins it to the tailnet",
  cloudflare: "this stack makes its tunnel",
};

/** The first of the methods that leads to the host. */
export function planTransport(
  host: Host,
  { addresses, planned }: Ways,
  methods: readonly TransportKind[],
): { kind: TransportKind; reason: string } {
  for (const method of methods) {
    if (method === "relay" || method === "none") {
      if (isRelayed(host)) return { kind: "relay", reason: relayReason(host) ?? "" };
    } else if (addresses[method] !== null) {
      return { kind: method, reason: WHY[method] };
    } else if (method !== "direct" && planned.includes(method)) {
      return { kind: method, reason: WHY_PLANNED[method] };
    }
  }
  return { kind: "none", reason: "no tailnet address, tunnel or public address" };
}

/** `host:port`, with brackets around IPv6. */
export function hostPort(address: string, port: number): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** One end of a connection between nodes. */
export interface Endpoint {
  readonly addresses: Addresses;
  readonly port: number;
}

/**
 * What `--peers` says for a peer: `host:port`, or the tunnel's URL.
 * The tailnet counts for a viewer that is on it; one without any other way in joins it later.
 */
export function peerAddress(
  viewer: Endpoint,
  peer: Endpoint,
  methods: readonly TransportKind[],
): string | null {
  const { tailscale, cloudflare, direct } = peer.addresses;
  const onTailnet = viewer.addresses.tailscale !== null;
  for (const method of methods) {
    if (method === "tailscale" && tailscale !== null && onTailnet)
      return hostPort(tailscale, peer.port);
    if (method === "cloudflare" && cloudflare !== null) return cloudflare;
    if (method === "direct" && direct !== null) return hostPort(direct, peer.port);
  }
  if (tailscale === null || !methods.includes("tailscale")) return null;
  return hostPort(tailscale, peer.port);
}
