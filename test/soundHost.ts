import { type Facts } from "../payload/facts";

/** What a sound host says of itself, before anybody asks what is installed on it. */
export const SOUND_HOST = {
  at: "2026-11-22T03:14:11Z",
  agent: "0123456789abcdef",
  elevated: true,
  user: "root",
  hostname: "h4",
  os: "Debian GNU/Linux 12 (bookworm)",
  arch: "x86_64",
  init: "systemd",
  container: false,
  bootId: "00000000-0000-4000-8000-000000000000",
  uptimeSeconds: 1000,
  cores: 8,
  tun: true,
  python: { path: "/usr/bin/python3", version: "3.11.2", externallyManaged: true, pip: false },
} as const satisfies Partial<Facts>;
