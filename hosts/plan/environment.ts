/** What a node is told at start: the daemon's environment and node.conf. Every value is written out, because readers' defaults differ. */

import { posix } from "node:path";
import { type DeployHostPlan, type VoterPlan } from "./types";

type Told = Omit<DeployHostPlan, "environment" | "nodeConf">;

const sortedByKey = (values: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Seeds as addresses; a node without peers names itself, or the daemon would use a list of strangers. */
export function seedAddresses(host: Told): readonly string[] {
  return host.peerAddresses.length > 0 ? host.peerAddresses : [`${host.loopback}:${host.port}`];
}

/** Environment variables of the daemon; names and meaning are the daemon's. */
export function environmentOf(host: Told, voters: VoterPlan): Record<string, string> {
  const userspace: Record<string, string> =
    // With a forwarder the daemon dials loopback addresses only, which the proxy must not see.
    host.networking === "userspace" && !host.forwarded
      ? {
          RINGRIFT_NEEDS_USERSPACE_TAILSCALE: "true",
          RINGRIFT_SOCKS_PROXY: "socks5://localhost:1055",
          RINGRIFT_TAILSCALE_SOCKS_PORT: "1055",
        }
      : {};
  return sortedByKey({
    PYTHONPATH: host.aiServicePath,
    PYTHONUNBUFFERED: "1",
    RINGRIFT_IS_COORDINATOR: String(host.coordinator),
    RINGRIFT_NODE_ID: host.name,
    RINGRIFT_P2P_ADVERTISE_HOST: host.advertise,
    RINGRIFT_P2P_ADVERTISE_PORT: String(host.port),
    RINGRIFT_P2P_AUTO_UPDATE: "0",
    RINGRIFT_P2P_BOOTSTRAP_SEEDS: seedAddresses(host).join(","),
    RINGRIFT_P2P_PORT: String(host.port),
    RINGRIFT_P2P_VOTERS: voters.declared.join(","),
    // Two modules read two names for the same number.
    RINGRIFT_P2P_VOTER_MIN_QUORUM: String(voters.quorum),
    RINGRIFT_VOTER_MIN_QUORUM: String(voters.quorum),
    ...userspace,
  });
}

/** Keys of /etc/ringrift/node.conf, under the names that existing units and scripts read. */
export function nodeConfOf(host: Told, voters: VoterPlan): Record<string, string> {
  return sortedByKey({
    NODE_ID: host.name,
    P2P_PORT: String(host.port),
    P2P_PEERS: host.peerAddresses.join(","),
    P2P_SEEDS: seedAddresses(host).join(","),
    P2P_VOTERS: voters.declared.join(","),
    P2P_QUORUM: String(voters.quorum),
    ADVERTISE_HOST: host.advertise,
    IS_COORDINATOR: String(host.coordinator),
    RELAY_MODE: String(host.relay),
    RINGRIFT_AI_PATH: host.aiServicePath,
    RINGRIFT_DIR: posix.dirname(host.aiServicePath),
  });
}
