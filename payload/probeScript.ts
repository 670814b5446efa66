import { loader, packAgent } from "./agent";
import { type FactsRequest } from "./spec";
import { type Facts } from "./facts";

export interface ProbeScript {
  /** Command for the login shell. */
  readonly command: string;
  /** Two lines: the packed agent and the request. */
  readonly stdin: string;
}

/** Facts of a host without Python, in words that sh can fill in. */
function factsWithoutPython(): string {
  const facts: Facts = {
    at: "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
    node: "",
    agent: null,
    elevated: false,
    user: "$(id -un)",
    hostname: "$(uname -n)",
    os: "$(uname -s)",
    arch: "$(uname -m)",
    init: "none",
    container: false,
    bootId: "",
    uptimeSeconds: 0,
    cores: 0,
    tun: false,
    python: null,
    runner: null,
    missing: {},
    disk: [],
    installedAgent: null,
    lastRun: null,
    release: { current: null, good: null, kept: [], intact: true },
    files: {},
    secrets: {},
    service: null,
    port: [],
    health: null,
    status: null,
    lastError: null,
    source: null,
    competitors: [],
    listening: [],
    traces: [],
    error: "python3 is missing",
  };
  return JSON.stringify(facts).replaceAll('"', '\\"');
}

/**
 * What a probe runs: the agent's `facts` phase from memory. Nothing is written on the host.
 * @param seconds after which the host itself ends it
 */
export function probeScript(request: FactsRequest, seconds = 20): ProbeScript {
  const script = [
    `set --`,
    `if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then set -- sudo -n; fi`,
    `! command -v timeout >/dev/null || set -- "$@" timeout -k 2 ${seconds}`,
    `if command -v python3 >/dev/null; then`,
    `exec "$@" python3 -IBc "${loader("stdin")}" facts`,
    `fi`,
    `echo "${factsWithoutPython()}"`,
  ].join("\n");
  return {
    command: `exec sh -c '${script}'`,
    stdin: `${packAgent().packed}\n${JSON.stringify(request)}\n`,
  };
}
