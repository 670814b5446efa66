/** The example inventory gives exactly the plan that its header states. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadInventory } from "../../hosts/inventory";
import { type HostPlan } from "../../hosts/plan/types";

const TEXT = readFileSync(join(__dirname, "fixtures", "example.yaml"), "utf8");

describe("the example inventory", () => {
  const { plan, findings } = loadInventory(TEXT, "example.yaml");
  const hosts = [...(plan?.hosts.values() ?? [])];
  const deployed = hosts.filter((host) => host.action === "deploy");
  const reasons = (action: HostPlan["action"]): Record<string, string> =>
    Object.fromEntries(
      hosts.filter((host) => host.action === action).map(({ name, reason }) => [name, reason]),
    );

  it("deploys seven hosts", () => {
    expect(reasons("deploy")).toEqual({
      "hetzner-cpu-a": "status: ready",
      "hetzner-cpu-b": "status: ready",
      "lambda-gh200-a": "status: ready",
      "mac-hub": "status: ready",
      "nebius-backbone-a": "status: ready",
      "vast-10000001": "status: ready",
      "vultr-a100-a": "status: absent, taken as ready",
    });
  });

  it("skips seven hosts with their reasons", () => {
    expect(reasons("skip")).toEqual({
      "aws-proxy-a": "status: proxy_only",
      "lambda-gh200-b": "status: disabled",
      "local-laptop": "localhost: only from that machine itself (p2p:controller)",
      "nebius-h100-a": "status: retired",
      "runpod-a100-a": "status: offline",
      "vast-10000002": 'p2p_enabled: false; the note says "terminated"',
      "vast-10000003": "status: destroyed",
    });
  });

  it("refuses none", () => {
    expect(reasons("refused")).toEqual({});
  });

  it("has five of eight voters", () => {
    expect(plan?.voters).toEqual({
      declared: [
        "hetzner-cpu-a",
        "hetzner-cpu-b",
        "hetzner-cpu-gone",
        "local-laptop",
        "mac-hub",
        "nebius-backbone-a",
        "runpod-a100-a",
        "vultr-a100-a",
      ],
      effective: ["hetzner-cpu-a", "hetzner-cpu-b", "mac-hub", "nebius-backbone-a", "vultr-a100-a"],
      rejected: [
        { node: "hetzner-cpu-gone", reason: "no such host" },
        { node: "local-laptop", reason: "localhost, unroutable" },
        { node: "runpod-a100-a", reason: "status: offline" },
      ],
      quorum: 5,
      margin: 0,
    });
  });

  it("has two hosts in relay mode, and two relays", () => {
    expect(deployed.filter((host) => host.relay).map(({ name }) => name)).toEqual([
      "lambda-gh200-a",
      "vast-10000001",
    ]);
    expect(deployed.filter((host) => host.relayHub).map(({ name }) => name)).toEqual([
      "hetzner-cpu-a",
      "hetzner-cpu-b",
    ]);
    expect(plan?.relays).toEqual(["hetzner-cpu-a", "hetzner-cpu-b"]);
  });

  it("is led by mac-hub and entered by its voters", () => {
    expect(plan?.coordinator).toBe("mac-hub");
    expect(plan?.entry).toEqual(plan?.voters.effective);
    expect(plan?.methods).toEqual(["tailscale", "cloudflare", "direct", "relay"]);
  });

  it("has one error, the voter that is no host", () => {
    const errors = findings.filter(({ severity }) => severity === "error");
    expect(errors.map(({ code, path, line, column }) => ({ code, path, line, column }))).toEqual([
      { code: "voter-unknown", path: "p2p_voters[7]", line: 92, column: 5 },
    ]);
  });

  it("decides everything of a rented container", () => {
    expect(plan?.hosts.get("vast-10000001")).toEqual(CONTAINER);
  });

  it("deploys the laptop from the laptop itself", () => {
    const own = loadInventory(TEXT, "example.yaml", { controller: "local-laptop" }).plan;
    expect(own?.hosts.get("local-laptop")).toMatchObject({
      action: "deploy",
      reason: "status: ready",
      addresses: { tailscale: null, cloudflare: null, direct: null },
      voter: false,
    });
    expect(own?.voters.rejected).toContainEqual({
      node: "local-laptop",
      reason: "unroutable: no tailnet address, tunnel or public address",
    });
  });
});

const CONTAINER = {
  name: "vast-10000001",
  reason: "status: ready",
  provider: "vast",
  number: 851573,
  action: "deploy",
  connection: {
    host: "ssh1.vast.example",
    port: 18352,
    user: "root",
    keyPath: "~/.ssh/id_cluster",
    hostKey: null,
    jump: null,
  },
  supervisor: "supervisord",
  container: true,
  networking: "userspace",
  transport: {
    kind: "tailscale",
    reason: "tailnet address",
  },
  home: "/root",
  aiServicePath: "/workspace/ringrift/ai-service",
  interpreter: {
    path: "python3",
    origin: "system",
  },
  loopback: "127.76.254.117",
  port: 8770,
  networkPort: 8770,
  directPort: 8770,
  forwarded: false,
  methods: null,
  listen: "127.0.0.1",
  exposure: "loopback",
  advertise: "100.64.0.61",
  addresses: {
    tailscale: "100.64.0.61",
    cloudflare: null,
    direct: null,
  },
  planned: [],
  entryOnly: false,
  peers: ["hetzner-cpu-a", "hetzner-cpu-b", "mac-hub", "nebius-backbone-a", "vultr-a100-a"],
  peerAddresses: [
    "100.64.0.30:8770",
    "100.64.0.31:8770",
    "100.64.0.10:8770",
    "100.64.0.20:8770",
    "100.64.0.40:8770",
  ],
  relayAddresses: ["100.64.0.30:8770", "100.64.0.31:8770"],
  seeds: ["hetzner-cpu-a", "hetzner-cpu-b", "mac-hub", "nebius-backbone-a", "vultr-a100-a"],
  relay: true,
  relayReason: "force_relay_mode",
  relays: ["hetzner-cpu-a", "hetzner-cpu-b"],
  relayHub: false,
  voter: false,
  coordinator: false,
  authKey: {
    class: "vast-nodes",
    tags: ["tag:vast-nodes"],
  },
  nodeConf: {
    ADVERTISE_HOST: "100.64.0.61",
    IS_COORDINATOR: "false",
    NODE_ID: "vast-10000001",
    P2P_PEERS:
      "100.64.0.30:8770,100.64.0.31:8770,100.64.0.10:8770,100.64.0.20:8770,100.64.0.40:8770",
    P2P_PORT: "8770",
    P2P_QUORUM: "5",
    P2P_SEEDS:
      "100.64.0.30:8770,100.64.0.31:8770,100.64.0.10:8770,100.64.0.20:8770,100.64.0.40:8770",
    P2P_VOTERS:
      "hetzner-cpu-a,hetzner-cpu-b,hetzner-cpu-gone,local-laptop,mac-hub,nebius-backbone-a,runpod-a100-a,vultr-a100-a",
    RELAY_MODE: "true",
    RINGRIFT_AI_PATH: "/workspace/ringrift/ai-service",
    RINGRIFT_DIR: "/workspace/ringrift",
  },
  environment: {
    PYTHONPATH: "/workspace/ringrift/ai-service",
    PYTHONUNBUFFERED: "1",
    RINGRIFT_IS_COORDINATOR: "false",
    RINGRIFT_NEEDS_USERSPACE_TAILSCALE: "true",
    RINGRIFT_NODE_ID: "vast-10000001",
    RINGRIFT_P2P_ADVERTISE_HOST: "100.64.0.61",
    RINGRIFT_P2P_ADVERTISE_PORT: "8770",
    RINGRIFT_P2P_AUTO_UPDATE: "0",
    RINGRIFT_P2P_BOOTSTRAP_SEEDS:
      "100.64.0.30:8770,100.64.0.31:8770,100.64.0.10:8770,100.64.0.20:8770,100.64.0.40:8770",
    RINGRIFT_P2P_PORT: "8770",
    RINGRIFT_P2P_VOTERS:
      "hetzner-cpu-a,hetzner-cpu-b,hetzner-cpu-gone,local-laptop,mac-hub,nebius-backbone-a,runpod-a100-a,vultr-a100-a",
    RINGRIFT_P2P_VOTER_MIN_QUORUM: "5",
    RINGRIFT_SOCKS_PROXY: "socks5://localhost:1055",
    RINGRIFT_TAILSCALE_SOCKS_PORT: "1055",
    RINGRIFT_VOTER_MIN_QUORUM: "5",
  },
};
