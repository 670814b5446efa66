/** Which of a tool's archives is a machine's. */

import { type Facts } from "./facts";
import { type PrepareSpec, type Tool, type ToolSource } from "./spec";

/** Where the configuration holds a tool's checksums. */
const CHECKSUMS: Readonly<Record<string, string>> = {
  tailscale: "p2p:tailnet.sha256",
  tailscaled: "p2p:tailnet.sha256",
  cloudflared: "p2p:cloudflare.cloudflared.sha256",
};

/** The name that the configuration has for a machine; undefined for one that no vendor builds for. */
function machineOf(arch: string): keyof Tool["sources"] | undefined {
  if (arch === "x86_64" || arch === "amd64") return "x86_64";
  return arch === "aarch64" || arch === "arm64" ? "aarch64" : undefined;
}

export function sourceFor(arch: string, sources: Tool["sources"]): ToolSource | undefined {
  const machine = machineOf(arch);
  return machine && sources[machine];
}

/** Why a host cannot get what it is to run; undefined where it can. Nothing is begun on one that cannot. */
export function whyNoTool(spec: PrepareSpec, { arch }: Pick<Facts, "arch">): string | undefined {
  if (spec.state === "absent") return undefined;
  const tool = spec.tools.find(({ sources }) => sourceFor(arch, sources) === undefined);
  if (!tool) return undefined;
  const machine = machineOf(arch);
  if (machine === undefined) return `there is no ${tool.name} for its machine type, ${arch}`;
  const key = CHECKSUMS[tool.name] ?? `the checksum of ${tool.name}`;
  return `${key}.${machine} is not set, and this host is ${arch}: it cannot get ${tool.name} ${tool.version}`;
}
