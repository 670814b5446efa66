/** Every key of the inventory: type, default, meaning. docs/inventory.md is generated from here. */

import { z } from "zod";
import * as is from "./fields";

function key<T extends z.ZodType>(type: T, doc: is.KeyDoc): T {
  return type.meta({ ...doc });
}

const bool = (description: string, fallback = "false") =>
  key(is.boolean(), { type: "boolean", default: fallback, description });
const id = (provider: string) =>
  key(is.text(), {
    type: "text",
    default: "none",
    description: `Instance id at ${provider}; kept as it is written. No two active hosts share one.`,
  });
const relay = (rank: string) =>
  key(is.text(), {
    type: "host name",
    default: "none",
    description: `The relay that a host in relay mode prefers ${rank}.`,
  });

export const TRANSPORTS = ["tailscale", "cloudflare", "direct", "relay"] as const;
export const SUPERVISORS = ["systemd", "supervisord", "launchd", "own"] as const;

/** Keys of a host that decide something here. */
export const HOST_SCHEMA = {
  ssh_host: key(is.sshHost(), {
    type: "host name or IP address",
    default: "required",
    description:
      "Where the controller logs in; `user@host` is split. `localhost` is deployed only where `p2p:controller` names the host.",
  }),
  ssh_port: key(is.integer(1, 65_535), {
    type: "integer, 1 to 65535",
    default: "22",
    description:
      "SSH port. The pair of `ssh_host` and `ssh_port` identifies a machine behind a gateway.",
  }),
  ssh_user: key(is.userName(), {
    type: "login name",
    default: "root",
    description: "Login user. One other than root needs passwordless sudo.",
  }),
  ssh_key: key(is.path(), {
    type: "path",
    default: "the ssh agent",
    description: "Private key on the controller; `~` is the operator's home.",
  }),
  ssh_host_key: key(is.publicKey(), {
    type: "public key",
    default: "none: untrusted",
    description:
      "The host's pinned key, `ssh-ed25519 AAAA…`. A host without one is left alone. **New key.**",
  }),
  ssh_jump: key(is.text(), {
    type: "host name, or user@host[:port]",
    default: "none",
    description:
      "The host through which SSH goes: a name of this file, or an address. **New key.**",
  }),
  ringrift_path: key(is.path(), {
    type: "path",
    default: "none: not deployed",
    description:
      "The ai-service directory on the host; a repository root is completed with `/ai-service`, `~` is the login user's home.",
  }),
  venv_activate: key(is.text(), {
    type: "text",
    default: "the system's python3",
    description:
      "`source <venv>/bin/activate` names the interpreter. Never run as shell; anything else means the system's python3.",
  }),
  status: key(is.word(), {
    type: "word",
    default: "ready",
    description:
      "`ready` or `active`: deployed. Known inactive words (docs/findings.md) are skipped; an unknown word refuses the host.",
  }),
  role: key(is.word(), {
    type: "word",
    default: "none",
    description:
      "`coordinator` may lead; `proxy` is never deployed. Other roles are the daemon's business.",
  }),
  note: key(is.note(), {
    type: "text",
    default: "none",
    description: "For people. On an active host, words such as `terminated` give a warning.",
  }),
  p2p_enabled: bool(
    "Whether the daemon runs on the host. Only `true` deploys.",
    "none: not deployed",
  ),
  p2p_port: key(is.integer(1, 65_533), {
    type: "integer, 1 to 65533",
    default: "8770",
    description: "The daemon's port; it also uses this port plus 2.",
  }),
  p2p_public_host: key(is.hostAddress(), {
    type: "host name or IP address",
    default: "`ssh_host`, where it is public",
    description: "The address at which others reach the daemon directly.",
  }),
  p2p_public_port: key(is.integer(1, 65_535), {
    type: "integer, 1 to 65535",
    default: "the port itself",
    description:
      "Port of `p2p_public_host` that a provider maps to the path forwarder's port (`inboundPort` of `p2p:paths`): so a container can be reached directly. Used with path forwarders only.",
  }),
  p2p_url: key(is.httpsUrl(), {
    type: "https URL",
    default: "none",
    description: "The node's own tunnel, such as `https://gpu-7.example.com`. **New key.**",
  }),
  p2p_number: key(is.integer(1, 4_194_302), {
    type: "integer, 1 to 4194302",
    default: "a hash of the name",
    description:
      "The node's number, which gives its loopback address in 127.64.0.0/10. Only needed to settle a collision. **New key.**",
  }),
  p2p_methods: key(z.array(is.choice(TRANSPORTS)), {
    type: `list of ${TRANSPORTS.join(", ")}`,
    default: "`p2p_discovery.methods`",
    description:
      "Order in which paths to this host are tried, where they differ from the fleet's. **New key.**",
  }),
  p2p_voter: bool("Old way to flag a voter; used only where `p2p_voters` is absent."),
  tailscale_ip: key(is.tailnetAddress(), {
    type: "tailnet address",
    default: "none",
    description: "The node's address on the tailnet; null and empty mean none.",
  }),
  tailscale_ipv6: key(is.tailnetAddress(), {
    type: "tailnet address",
    default: "none",
    description: "The node's IPv6 address on the tailnet, used where there is no `tailscale_ip`.",
  }),
  is_container: bool(
    "A container without systemd: the daemon listens on loopback.",
    "true for vast and runpod",
  ),
  needs_userspace_tailscale: bool("The tailnet has no TUN device there.", "`is_container`"),
  is_ephemeral: bool("The machine may vanish; such voters give a warning."),
  nat_blocked: bool("Nobody can connect to the host: relay mode."),
  force_relay_mode: bool("Relay mode, also where the host could be reached."),
  relay_capable: bool("The host forwards for others."),
  relay_primary: relay("first"),
  relay_secondary: relay("second"),
  relay_tertiary: relay("third"),
  relay_quaternary: relay("fourth"),
  supervisor: key(is.choice(SUPERVISORS), {
    type: SUPERVISORS.join(", "),
    default: "systemd; launchd on macOS; supervisord at vast; own in other containers",
    description: "What starts and restarts the daemon. **New key.**",
  }),
  provider: key(is.label(), {
    type: "word of letters, digits, dashes",
    default: "from the name's prefix",
    description:
      "Who rents the machine out: vast, runpod, nebius, vultr, hetzner, lambda, aws, local.",
  }),
  gpu: key(is.text(), {
    type: "text",
    default: "none",
    description: "GPU model; the text `none` means none. `MPS` marks a Mac.",
  }),
  vast_instance_id: id("Vast.ai"),
  runpod_id: id("RunPod"),
  nebius_id: id("Nebius"),
  vultr_id: id("Vultr"),
  hetzner_id: id("Hetzner"),
  aws_instance_id: id("AWS"),
} as const satisfies Record<string, z.ZodType>;

export type HostKey = keyof typeof HOST_SCHEMA;
export type HostValues = { readonly [K in HostKey]?: z.output<(typeof HOST_SCHEMA)[K]> };

/** Keys of a host that the daemon or other tools read; they are kept and silent. */
export const FOREIGN_HOST_KEYS: ReadonlySet<string> = new Set(
  `region memory_gb cpus gpu_vram_gb disable_gpu_tree selfplay_enabled training_enabled
   gauntlet_enabled export_enabled skip_sync_receive sync_to_mac_studio_owc p2p_priority_boost
   storage_paths storage_type use_external_storage external_storage_path max_parallel_jobs
   socks5_port cloudflare_tunnel cloudflare_service_token_id cloudflare_service_token_secret
   worker_url worker_port bandwidth_mbps cuda_capable preferred_workloads excluded_workloads
   data_server_port data_server_url is_coordinator nfs_enabled bootstrap_peers cgnat_detected
   ssh_proxy p2p_loopback p2p_paths`.split(/\s+/),
);

/** Keys below `p2p_discovery`. */
export const DISCOVERY_SCHEMA = {
  methods: key(z.array(is.choice(TRANSPORTS)), {
    type: `list of ${TRANSPORTS.join(", ")}`,
    default: TRANSPORTS.join(", "),
    description: "Order in which paths between nodes are tried.",
  }),
  cloudflare_endpoint: key(is.httpsUrl(), {
    type: "https URL",
    default: "none",
    description: "The fleet's shared entry, served by the voters.",
  }),
} as const satisfies Record<string, z.ZodType>;

export const FLEET_SCHEMA = {
  hosts: {
    type: "mapping",
    default: "required",
    description: "Host name to host. The name is the node id.",
  },
  p2p_voters: {
    type: "list of host names",
    default: "hosts with `p2p_voter: true`",
    description: "The declared voters; the quorum is floor(n / 2) + 1 of them.",
  },
  p2p_discovery: {
    type: "mapping",
    default: "none",
    description: "How nodes find and reach each other. **New key.**",
  },
  elo_sync: {
    type: "mapping",
    default: "none",
    description: "Only `coordinator`, a host name, is looked at: it leads first where it may.",
  },
} as const satisfies Record<string, is.KeyDoc>;

export const VOTER_SCHEMA = is.nodeName();

/** Top-level keys that the daemon or other tools read; they are kept and silent. */
export const FOREIGN_FLEET_KEYS: ReadonlySet<string> = new Set(
  `disk_management consolidation sync_routing auto_sync protocols provider_timeouts preferred_leader
   raft_members coordinator_nodes p2p_nodes nodes groups lab`.split(/\s+/),
);
