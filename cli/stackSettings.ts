/** What `--stack` adds to an inventory: tunnels, tailnet and paths as the stack's own file has them. */

import { Option } from "commander";
import { parse } from "yaml";
import { readFileSync } from "node:fs";
import { type PlanOptions } from "../hosts/plan/planFleet";
import { whyUnreadable } from "../hosts/unreadable";
import { readCloudflare } from "../settings/cloudflare";
import { oneWordOr, readFirewall } from "../settings/firewall";
import { readPaths } from "../settings/paths";
import { planOptionsOf } from "../settings/planOptions";
import { readTailnet } from "../settings/tailnet";
import { UsageError } from "./usageError";

export const stackOption = (): Option =>
  new Option("-s, --stack <name>", "with the tunnels, tailnet and paths of Pulumi.<name>.yaml");

/** @throws UsageError where the stack's file cannot be read, or has mistakes */
export function planOptions(options: { stack?: string; controller?: string }): PlanOptions {
  const { stack, controller } = options;
  if (stack === undefined) return controller === undefined ? {} : { controller };
  const file = `Pulumi.${stack.split("/").pop() ?? stack}.yaml`;
  const config = readConfigOf(file);
  const mistakes: string[] = [];
  const fail = (key: string, expected: string, got: unknown): void => {
    mistakes.push(`p2p:${key}: expected ${expected}, got ${JSON.stringify(got)}`);
  };
  const object = (key: string) => mappingOf(config[`p2p:${key}`]);
  const surroundings = {
    // A secret stands there as a mapping with its ciphertext: that it is there is all that counts.
    hasSecret: config["p2p:fleetSecret"] !== undefined,
    hasNetwork: ["tailnet", "cloudflare"].some((key) => Object.keys(object(key)).length > 0),
  };
  const { "p2p:controller": own, "p2p:firewall": firewall } = config;
  const result = planOptionsOf({
    controller: controller ?? (typeof own === "string" && own !== "" ? own : undefined),
    cloudflare: readCloudflare(object("cloudflare"), fail),
    firewall: readFirewall(
      oneWordOr(firewall === undefined ? undefined : String(firewall), () => object("firewall")),
      fail,
    ),
    tailnet: readTailnet(object("tailnet"), fail),
    paths: readPaths(object("paths"), surroundings, fail),
  });
  if (mistakes.length > 0) throw new UsageError(`${file}: ${mistakes.join("\n")}`);
  return result;
}

function readConfigOf(file: string): Record<string, unknown> {
  try {
    const root: unknown = parse(readFileSync(file, "utf8"));
    return mappingOf(mappingOf(root)["config"]);
  } catch (error) {
    const why = whyUnreadable(error).split("\n")[0];
    throw new UsageError(`cannot read ${file}: ${why}`, "run this where the stack's file is");
  }
}

/** Pulumi keeps an object as a mapping, or as JSON in a text. */
function mappingOf(value: unknown): Record<string, unknown> {
  const found: unknown = typeof value === "string" && value.startsWith("{") ? parse(value) : value;
  const isMapping = typeof found === "object" && found !== null && !Array.isArray(found);
  return isMapping ? (found as Record<string, unknown>) : {};
}
