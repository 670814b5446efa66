import { sha256 } from "../../payload/digest";
import { type Facts } from "../../payload/facts";
import { VENV_PYTHON } from "../../payload/names";
import { type ActivatePresent, type PreparePresent } from "../../payload/spec";

/** Facts of a host on which both specs are in order. */
export function factsInOrder(
  prepare: PreparePresent,
  activate: ActivatePresent,
  changes: Partial<Facts> = {},
): Facts {
  const service = { digest: sha256(activate.release.service), mode: "0644", owner: "root" };
  const files = [...prepare.files, ...activate.release.files, { path: "service", ...service }];
  return {
    at: "2026-11-22T03:14:11Z",
    node: prepare.node,
    agent: "0123456789abcdef",
    elevated: true,
    user: "root",
    hostname: "h4",
    os: "Debian GNU/Linux 12 (bookworm)",
    arch: "x86_64",
    init: "systemd",
    container: false,
    bootId: "b",
    uptimeSeconds: 100,
    cores: 2,
    tun: true,
    python: { path: "/usr/bin/python3", version: "3.11.2", externallyManaged: true, pip: false },
    runner: VENV_PYTHON,
    missing: {},
    disk: [],
    installedAgent: "0123456789abcdef",
    lastRun: null,
    release: {
      current: activate.digest,
      good: activate.digest,
      kept: [activate.digest],
      intact: true,
      requires: null,
    },
    files: Object.fromEntries(
      files.map(({ path, digest, mode, owner }) => [path, { kind: "file", digest, mode, owner }]),
    ),
    secrets: {},
    service: {
      manager: "systemd",
      state: "running",
      enabled: true,
      pid: 7,
      startedAt: 1,
      restarts: 0,
      detail: "active (running)",
      boot: "/etc/systemd/system/ringrift-p2p-node.service",
    },
    port: [{ pid: 7, ours: true, name: "pid 7 (python p2p_orchestrator.py)" }],
    health: {
      status: 200,
      nodeId: prepare.node,
      healthy: true,
      role: "follower",
      leaderId: null,
      activePeers: 1,
      uptimeSeconds: 50,
      error: null,
    },
    status: {
      nodeId: prepare.node,
      role: "follower",
      leaderId: null,
      version: "unknown",
      alivePeers: 1,
      voters: [],
      votersAlive: 1,
      alive: [],
      heard: {},
      error: null,
    },
    lastError: null,
    source: null,
    competitors: [],
    tailnet: null,
    paths: null,
    tools: {},
    services: {},
    firewall: null,
    listening: [],
    traces: ["/opt/ringrift-p2p"],
    hostKeys: null,
    error: null,
    ...changes,
  };
}
