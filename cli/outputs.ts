/** `fleet outputs`: the stack's outputs as the orchestrator's files want them. */

import { Command, Option } from "commander";
import { stringify } from "yaml";
import { renderNodeConf } from "../hosts/plan/nodeConf";
import { type Recap } from "../health/report";
import { renderText } from "../health/text";
import { notes } from "./helpText";
import { readOutputs, type StackOutputs } from "./stackOutputs";
import { tableWidth } from "./terminal";
import { UsageError } from "./usageError";

export const FORMATS = [
  "json",
  "peers",
  "voters",
  "node-conf",
  "env",
  "p2p-discovery",
  "recap",
  "report",
  "retry",
] as const;
export type Format = (typeof FORMATS)[number];

interface OutputsOptions {
  readonly format: Format;
  readonly stack?: string;
  readonly from?: string;
  readonly host?: string;
}

export function outputsCommand(): Command {
  return new Command("outputs")
    .description("Print the stack's outputs: for the orchestrator, or what the last run came to.")
    .addOption(
      new Option("-f, --format <format>", "what to print").choices(FORMATS).default("json"),
    )
    .option("-s, --stack <name>", "the stack (default: the selected one)")
    .option("--from <file>", "JSON of `pulumi stack output --json`; - reads standard input")
    .option("--host <name>", "node-conf: only this host's, as the file's text")
    .addHelpText(
      "after",
      notes(
        "Formats: recap is the end of the last run for a terminal, report the same as Markdown, retry the value for P2P_LIMIT that tries again where something is owed (an empty line where nothing is).",
        "Exit codes: 0 printed, 2 wrong usage or no outputs.",
        "Example: fleet outputs --format peers",
      ),
    )
    .action((options: OutputsOptions) => {
      process.stdout.write(renderOutputs(readOutputs(options), options.format, options.host));
    });
}

/** @param host only for `node-conf` @throws UsageError for a host without node.conf */
export function renderOutputs(outputs: StackOutputs, format: Format, host?: string): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(outputs, null, 2)}\n`;
    case "peers":
      return `${outputs.peers.join(",")}\n`;
    case "voters":
      return `${outputs.voters.join(",")}\n`;
    case "node-conf":
      return renderNodeConfs(outputs.nodeConf, host);
    case "env":
      return renderNodeConf(fleetEnvironment(outputs));
    case "p2p-discovery":
      return stringify(discoveryYaml(outputs), { lineWidth: 0 });
    case "recap":
      return renderText(recapOf(outputs), tableWidth());
    case "report":
      return outputs.report ?? "";
    case "retry":
      return `${recapOf(outputs).retry ?? ""}\n`;
  }
}

/** What the last run came to. @throws UsageError where it was an older program's */
function recapOf({ recap }: StackOutputs): Recap {
  if (recap === undefined) throw new UsageError("the stack has no recap yet", "run pulumi up");
  return recap;
}

function renderNodeConfs(files: Readonly<Record<string, string>>, host?: string): string {
  if (host === undefined)
    return Object.entries(files)
      .map(([name, text]) => `# ${name}\n${text}`)
      .join("\n");
  const text = Object.hasOwn(files, host) ? files[host] : undefined;
  if (text === undefined)
    throw new UsageError(`${JSON.stringify(host)} has no node.conf: it is not deployed`);
  return text;
}

/** What is the same for every node; the rest is in each host's node.conf. */
function fleetEnvironment({ seeds, voters, quorum }: StackOutputs): Record<string, string> {
  return {
    RINGRIFT_P2P_BOOTSTRAP_SEEDS: seeds.join(","),
    RINGRIFT_P2P_VOTERS: voters.join(","),
    RINGRIFT_P2P_VOTER_MIN_QUORUM: String(quorum.required),
    RINGRIFT_VOTER_MIN_QUORUM: String(quorum.required),
  };
}

/** The inventory's own keys, and what is worked out of them: `p2p_loopback` and `p2p_paths`, which it need not keep. */
function discoveryYaml({ p2pDiscovery }: StackOutputs): unknown {
  const { methods, cloudflare_endpoint, nodes } = p2pDiscovery;
  return {
    p2p_discovery: { methods, ...(cloudflare_endpoint === null ? {} : { cloudflare_endpoint }) },
    hosts: Object.fromEntries(
      Object.entries(nodes).map(([name, node]) => [name, discoveryHost(node)]),
    ),
  };
}

type DiscoveryNode = StackOutputs["p2pDiscovery"]["nodes"][string];

function discoveryHost(node: DiscoveryNode): Record<string, unknown> {
  const values = {
    p2p_number: node.number,
    p2p_loopback: node.loopback,
    tailscale_ip: node.tailscale_ip,
    p2p_url: node.p2p_url,
    p2p_public_host: node.direct,
    p2p_public_port: node.direct_port,
    p2p_methods: node.methods,
    p2p_paths: node.paths,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}
