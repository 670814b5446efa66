import { readSource } from "./sources";

/** The path forwarder's modules in the order they are loaded: each imports only those above it. */
export const FORWARDER_MODULES = [
  "wire",
  "http1",
  "identity",
  "places",
  "settings",
  "badge",
  "choice",
  "events",
  "clock",
  "watch",
  "house",
  "dial",
  "pool",
  "exchange",
  "peer",
  "ping",
  "knock",
  "inbound",
  "outbound",
  "admin",
  "listeners",
  "fleet",
  "main",
] as const;

/** Gives each module its name, then starts the last one. The sources follow as one JSON text a line. */
const LOADER = `"""The path forwarder as one file. Managed by p2p-fleet: edits are overwritten by the next run."""
import json, sys, types

with open(__file__, encoding="utf-8") as stream:
    lines = stream.read().split("\\n# modules\\n", 1)[1].splitlines()
for line in lines:
    name, source = json.loads(line[2:])
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name + ".py", "exec"), module.__dict__)
sys.modules["main"].main(sys.argv[1:])
`;

let cached: string | undefined;

/** Text of the forwarder as one Python file: one file is put on a host as a whole or not at all. */
export function forwarderProgram(): string {
  cached ??= [
    `${LOADER}\n# modules`,
    ...FORWARDER_MODULES.map(
      (name) => `# ${JSON.stringify([name, readSource(`forwarder/${name}.py`)])}`,
    ),
    "",
  ].join("\n");
  return cached;
}
