/** The stack's outputs, read through the Pulumi command line. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Recap } from "../health/report";
import { UsageError } from "./usageError";

const discoveryNode = z.object({
  number: z.number(),
  loopback: z.string(),
  tailscale_ip: z.string().nullable(),
  p2p_url: z.string().nullable(),
  direct: z.string().nullable(),
  // An older program's outputs have none of these.
  direct_port: z.number().nullable().default(null),
  methods: z.array(z.string()).nullable().default(null),
  paths: z.array(z.object({ path: z.string(), address: z.string() })).default([]),
});

const schema = z.looseObject({
  peers: z.array(z.string()),
  seeds: z.array(z.string()),
  voters: z.array(z.string()),
  quorum: z.object({
    declared: z.number(),
    effective: z.number(),
    required: z.number(),
    margin: z.number(),
  }),
  nodeConf: z.record(z.string(), z.string()),
  p2pDiscovery: z.object({
    methods: z.array(z.string()),
    cloudflare_endpoint: z.string().nullable(),
    entry: z.array(z.string()),
    nodes: z.record(z.string(), discoveryNode),
  }),
  // Our own program wrote it.
  recap: z.custom<Recap>((value) => typeof value === "object" && value !== null).optional(),
  report: z.string().optional(),
});

export type StackOutputs = z.infer<typeof schema>;

export interface OutputSource {
  /** Stack name; the selected one where it is absent. */
  readonly stack?: string;
  /** A file with the JSON of `pulumi stack output --json`; `-` is standard input. */
  readonly from?: string;
}

/** `$FLEET_PULUMI`, else the project's launcher, which takes the real CLI where there is one. */
function pulumi(): string {
  const launcher = join(__dirname, "..", "..", "lab", "bin", "pulumi");
  return process.env["FLEET_PULUMI"] ?? (existsSync(launcher) ? launcher : "pulumi");
}

function readText({ stack, from }: OutputSource): string {
  if (from !== undefined) {
    try {
      return readFileSync(from === "-" ? 0 : from, "utf8");
    } catch (error) {
      throw new UsageError(`cannot read ${from}: ${(error as Error).message}`);
    }
  }
  const args = ["stack", "output", "--json", ...(stack === undefined ? [] : ["--stack", stack])];
  const result = spawnSync(pulumi(), args, { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
  if (result.error) throw new UsageError(`cannot run ${pulumi()}: ${result.error.message}`);
  if (result.status !== 0) throw new UsageError(`no stack outputs: ${whyOf(result.stderr)}`);
  return result.stdout;
}

/** The error alone: the launcher also says which engine runs. */
function whyOf(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => !line.startsWith("engine: "));
  return lines
    .join("\n")
    .trim()
    .replace(/^error: /, "");
}

/** @throws UsageError when there are no outputs, or they are not this program's */
export function readOutputs(source: OutputSource): StackOutputs {
  let value: unknown;
  try {
    value = JSON.parse(readText(source));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError("the stack's outputs are no JSON");
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const missing = result.error.issues.map((issue) => issue.path.join(".")).join(", ");
  throw new UsageError(
    `the stack has no outputs of this program yet (${missing})`,
    "run pulumi up",
  );
}
