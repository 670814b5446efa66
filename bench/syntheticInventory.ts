const HUBS = ["hetzner", "nebius", "vultr", "lambda"] as const;
const RENTED = ["vast", "runpod"] as const;

/** A fleet like the real ones: every third host a rented container behind a gateway, seven voters, three relays. */
export function inventoryOf(count: number): string {
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  const voters = names.filter((_, index) => !isRented(index)).slice(0, 7);
  const sections = [
    "elo_sync:\n  coordinator: hetzner-0\n  sync_port: 8766\n",
    `sync_routing:\n  replication_target: 3\n  priority_hosts: [${voters[0]}]\n`,
    `p2p_voters:\n${voters.map((name) => `  - ${name}\n`).join("")}`,
  ];
  return `${sections.join("")}hosts:\n${names.map((name, index) => bodyOf(name, index)).join("")}`;
}

const isRented = (index: number): boolean => index % 3 === 2;

function nameOf(index: number): string {
  const providers = isRented(index) ? RENTED : HUBS;
  return `${providers[index % providers.length]}-${isRented(index) ? 10_000_000 + index : index}`;
}

function bodyOf(name: string, index: number): string {
  const high = index >> 8;
  const low = index & 255;
  const rented = isRented(index);
  const keys: Record<string, string | number | boolean> = {
    ssh_host: rented ? `ssh${index % 4}.vast.example` : `198.51.${high}.${low}`,
    ssh_port: rented ? 10_000 + index : 22,
    ssh_user: "root",
    ssh_key: "~/.ssh/id_cluster",
    tailscale_ip: `100.64.${high}.${low}`,
    ringrift_path: "/root/ringrift/ai-service",
    venv_activate: "source /root/ringrift/ai-service/venv/bin/activate",
    memory_gb: 64,
    cpus: 16,
    gpu: "RTX 3090",
    gpu_vram_gb: 24,
    role: index === 0 ? "coordinator" : "gpu_selfplay",
    status: "ready",
    p2p_enabled: true,
    ...(rented
      ? {
          vast_instance_id: `'${index}'`,
          is_container: true,
          is_ephemeral: true,
          nat_blocked: true,
          force_relay_mode: false,
          needs_userspace_tailscale: true,
          socks5_port: 1055,
        }
      : { relay_capable: index < 5 }),
    note: `node ${index} of the fleet`,
  };
  const lines = Object.entries(keys).map(([key, value]) => `    ${key}: ${value}\n`);
  return `  ${name}:\n${lines.join("")}`;
}
