/** The addresses at which other nodes can reach a host, and the path they take. */

import { isIP } from "node:net";
import { isTailnetIPv4, isTailnetIPv6 } from "../fields";
import { type Fleet, type Host, isLoopback } from "../fleet";
import { type Addresses, type TransportKind } from "./types";

export const NO_ADDRESSES: Addresses = { tailscale: null, cloudflare: null, direct: null };

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

/** RFC 1918, link-local, RFC 4193 and unspecified addresses lead nowhere from another site. */
function isPrivate(address: string): boolean {
  if (isIP(address) === 6) return /^(fe[89ab]|f[cd]|::$)/i.test(address);
  if (isIP(address) !== 4) return false;
  const [first = 0, second = 0] = address.split(".").map(Number);
  return (
    first === 10 ||
    first === 0 ||
    (first === 172 && second >= 16 && second <= 31) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254)
  );
}

/** Providers whose SSH host names are gateways to containers. */
const GATEWAY_PROVIDERS: ReadonlySet<string> = new Set(["vast", "runpod"]);

function directAddress(host: Host, shared: ReadonlySet<string>): string | null {
  // A container's daemon listens on its loopback, and nobody gets through a blocking NAT.
  if (host.isContainer || isRelayed(host)) return null;
  const address = host.publicHost ?? host.ssh.host;
  if (address === "" || isLoopback(address)) return null;
  if (isTailnetIPv4(address) || isTailnetIPv6(address)) return null;
  if (host.publicHost !== undefined) return address;
  const isGateway =
    shared.has(address.toLowerCase()) ||
    (isIP(address) === 0 && GATEWAY_PROVIDERS.has(host.provider));
  return isGateway || isPrivate(address) || host.ssh.jump !== null ? null : address;
}

export function addressesOf(host: Host, shared: ReadonlySet<string>): Addresses {
  return {
    tailscale: host.tailnetAddress,
    cloudflare: host.url,
    direct: directAddress(host, shared),
  };
}

export function isRoutable(addresses: Addresses): boolean {
  return Object.values(addresses).some((address) => address !== null);
}

const WHY: Readonly<Record<keyof Addresses, string>> = {
  tailscale: "tailnet address",
  cloudflare: "p2p_url",
  direct: "public address",
};

/** The first of the methods that leads to the host. */
export function planTransport(
  host: Host,
  addresses: Addresses,
  methods: readonly TransportKind[],
): { kind: TransportKind; reason: string } {
  for (const method of methods) {
    if (method === "relay" || method === "none") {
      if (isRelayed(host)) return { kind: "relay", reason: relayReason(host) ?? "" };
    } else if (addresses[method] !== null) {
      return { kind: method, reason: WHY[method] };
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
  return tailscale === null ? null : hostPort(tailscale, peer.port);
}
