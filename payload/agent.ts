import { deflateSync } from "node:zlib";
import { shortDigest } from "./digest";
import { BASE } from "./names";
import { readSource } from "./sources";

/** The agent's modules in the order they are loaded: each imports only those above it. */
export const MODULES = [
  "boot",
  "paths",
  "journal",
  "shell",
  "state",
  "files",
  "contents",
  "packages",
  "venv",
  "inspection",
  "host_keys",
  "ports",
  "launcher",
  "service_systemd",
  "service_supervisord",
  "service_own",
  "services",
  "tools",
  "deadman",
  "undo",
  "support",
  "firewall_rules",
  "firewall",
  "competitors",
  "health",
  "release",
  "source",
  "stage",
  "tailnet",
  "routes",
  "facts",
  "secrets_files",
  "prepare",
  "join",
  "activate",
  "absent",
  "main",
] as const;

export interface PackedAgent {
  /** 16 hex digits over all modules; the name of the directory it is installed in. */
  readonly digest: string;
  /** base64 of zlib of JSON `[[module, source], …]`. */
  readonly packed: string;
}

let cached: PackedAgent | undefined;

/** Reads and packs the agent; once per process. */
export function packAgent(): PackedAgent {
  if (cached) return cached;
  const modules = MODULES.map((name) => [name, readSource(`host/${name}.py`)]);
  const bytes = deflateSync(JSON.stringify(modules), { level: 9 });
  cached = { digest: shortDigest(modules), packed: bytes.toString("base64") };
  return cached;
}

/** Directory of the installed agent. */
export function agentDir(digest = packAgent().digest): string {
  return `${BASE}/agent/${digest}`;
}
