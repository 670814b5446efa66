import { sha256 } from "../../payload/digest";
import { type Facts, NOTHING_FOUND } from "../../payload/facts";
import { VENV_PYTHON } from "../../payload/names";
import { type ActivatePresent, type PreparePresent } from "../../payload/spec";
import { SOUND_HOST } from "../soundHost";

/** Facts of a host on which both specs are in order. */
export function factsInOrder(
  prepare: PreparePresent,
  activate: ActivatePresent,
  changes: Partial<Facts> = {},
): Facts {
  const service = { digest: sha256(activate.release.service), mode: "0644", owner: "root" };
  const files = [...prepare.files, ...activate.release.files, { path: "service", ...service }];
  return {
    ...SOUND_HOST,
    ...NOTHING_FOUND,
    node: prepare.node,
    runner: VENV_PYTHON,
    installedAgent: "0123456789abcdef",
    release: {
      current: activate.digest,
      good: activate.digest,
      kept: [activate.digest],
      intact: true,
      requires: null,
      runs: true,
      altered: [],
      text: null,
    },
    files: Object.fromEntries(
      files.map(({ path, digest, mode, owner }) => [path, { kind: "file", digest, mode, owner }]),
    ),
    service: {
      manager: "systemd",
      state: "running",
      enabled: true,
      pid: 7,
      startedAt: 1,
      restarts: 0,
      detail: "active (running)",
      boot: "/etc/systemd/system/ringrift-p2p-node.service",
      alterations: [],
      stale: false,
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
    traces: ["/opt/ringrift-p2p"],
    error: null,
    ...changes,
  };
}
