/**
 * Measures how long loading and planning an inventory takes in process, after warm-up, for 45 and 500 hosts: the median of
 * many runs in wall-clock and processor time, and the share of the YAML parser alone. Prints one JSON object.
 *
 * Aims, on a free machine: 60 ms for 45 hosts, 400 ms for 500. usage: node bench/inventory.js [RUNS]
 */

import { LineCounter, parseDocument } from "yaml";
import { loadInventory } from "../hosts/inventory";

const AIMS = [
  { hosts: 45, aim: 60 },
  { hosts: 500, aim: 400 },
] as const;
const WARM_UP = 10;
const RUNS = Number(process.argv[2] ?? 40);

const HUBS = ["hetzner", "nebius", "vultr", "lambda"] as const;
const RENTED = ["vast", "runpod"] as const;

/** A fleet like the real ones: every third host a rented container behind a gateway, seven voters, three relays. */
function inventoryOf(count: number): string {
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

interface Measured {
  /** Milliseconds. */
  readonly wall: number;
  readonly processor: number;
}

function measure(run: () => void): Measured {
  for (let index = 0; index < WARM_UP; index += 1) run();
  const walls: number[] = [];
  const processors: number[] = [];
  for (let index = 0; index < RUNS; index += 1) {
    const usage = process.cpuUsage();
    const start = process.hrtime.bigint();
    run();
    walls.push(Number(process.hrtime.bigint() - start) / 1e6);
    const { user, system } = process.cpuUsage(usage);
    processors.push((user + system) / 1e3);
  }
  return { wall: median(walls), processor: median(processors) };
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10;
}

const results = AIMS.map(({ hosts, aim }) => {
  const text = inventoryOf(hosts);
  const { plan, findings } = loadInventory(text, "bench.yaml");
  if (plan?.hosts.size !== hosts || findings.some(({ severity }) => severity === "error"))
    throw new Error("the inventory of this benchmark has errors");
  const load = measure(() => loadInventory(text, "bench.yaml"));
  const parser = measure(() =>
    parseDocument(text, { lineCounter: new LineCounter(), merge: true, uniqueKeys: false }),
  );
  const parserShare = Math.round((100 * parser.processor) / load.processor) / 100;
  return { hosts, kilobytes: Math.round(text.length / 1000), aim, load, parser, parserShare };
});
process.stdout.write(`${JSON.stringify({ runs: RUNS, unit: "ms", results }, null, 2)}\n`);
