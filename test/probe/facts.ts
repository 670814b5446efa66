import { type Facts, NOTHING_FOUND } from "../../payload/facts";
import { type FactsRequest } from "../../payload/spec";

export const REQUEST: FactsRequest = {
  node: "gpu-1",
  agent: "0123456789abcdef",
  aiServicePath: null,
  interpreter: "python3",
  imports: [],
  user: "root",
  files: [],
  service: null,
  secrets: [],
  manager: "systemd",
  release: null,
  address: "127.0.0.1",
  port: 8770,
  source: null,
  tools: [],
  services: [],
  firewall: null,
  startScript: null,
};

/** What a sound host answers. */
export const FACTS: Facts = {
  at: "2026-11-20T10:00:00Z",
  node: "gpu-1",
  agent: "0123456789abcdef",
  elevated: true,
  user: "root",
  hostname: "gpu-1",
  os: "Debian GNU/Linux 12 (bookworm)",
  arch: "x86_64",
  init: "systemd",
  container: false,
  bootId: "00000000-0000-4000-8000-000000000000",
  uptimeSeconds: 1000,
  cores: 8,
  tun: true,
  python: { path: "/usr/bin/python3", version: "3.11.2", externallyManaged: true, pip: false },
  ...NOTHING_FOUND,
  error: null,
};
