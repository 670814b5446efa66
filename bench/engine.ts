/**
 * Measures what the embedded engine adds to an `up` that changes nothing, with 500 resources: its wall-clock time less
 * what the SDK's runner needs for the same program against a monitor that answers at once, and less the start of the
 * provider. All three are measured in the same run, several times, and the best of each counts.
 *
 * Prints one JSON object. Arguments: number of resources (500), rounds (3).
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as engine from "@pulumi/pulumi/proto/engine_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { GRPC_OPTIONS } from "../lab/engine/host/plugin";
import { Registry } from "../lab/engine/host/registry";
import { Program } from "../lab/engine/program/program";
import { loadProject } from "../lab/engine/project/project";
import { unary } from "../lab/engine/server/calls";

const root = path.join(__dirname, "..");
const guard = path.join(root, "lab", "engine", "programGuard.js");
const count = Number(process.argv[2] ?? 500);
const rounds = Number(process.argv[3] ?? 3);

const program = `
const command = require("@pulumi/command/local");
for (let i = 0; i < ${count}; i++) {
  const stdin = JSON.stringify({ want: { host: "host-" + i, files: "x".repeat(2000) } });
  new command.Command("c" + i, { create: "true", stdin });
}
`;

function makeProject(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bench-engine-"));
  const write = (name: string, text: string): void =>
    fs.writeFileSync(path.join(folder, name), text);
  write("Pulumi.yaml", "name: bench\nruntime: { name: nodejs, options: { typescript: false } }\n");
  write("Pulumi.bench.yaml", "config: {}\n");
  write("package.json", '{ "name": "bench" }\n');
  write("index.js", program);
  fs.symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  return folder;
}

function environment(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${path.join(root, "lab", "bin")}${path.delimiter}${process.env["PATH"] ?? ""}`,
    PULUMI_ENGINE: "embedded",
    PULUMI_BACKEND_URL: `file://${folder}/backend`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
  };
}

/** Runs `pulumi up` and returns its milliseconds and the engine's peak memory in MiB. */
async function up(folder: string): Promise<{ milliseconds: number; memory: number }> {
  const start = Date.now();
  const child = spawn(
    path.join(root, "lab", "bin", "pulumi"),
    ["up", "--yes", "--skip-preview", "--stack", "bench"],
    { cwd: folder, env: environment(folder), stdio: ["ignore", "ignore", "pipe"] },
  );
  let memory = 0;
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const poll = setInterval(() => (memory = peakMemory(child.pid) || memory), 25);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(poll);
  if (code !== 0) throw new Error(`up ended with ${code}\n${errors}`);
  return { milliseconds: Date.now() - start, memory };
}

function peakMemory(pid: number | undefined): number {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const answer = <Request, Response>(reply: (request: Request) => Response) =>
  unary<Request, Response>((request) => Promise.resolve(reply(request)), console.error);

/** A monitor without an engine behind it: every resource is what the program says it is. */
const echoMonitor: UntypedServiceImplementation = {
  supportsFeature: answer((request: proto.SupportsFeatureRequest) => {
    return new proto.SupportsFeatureResponse().setHassupport(request.getId() === "secrets");
  }),
  registerResource: answer((request: proto.RegisterResourceRequest) => {
    return new proto.RegisterResourceResponse()
      .setUrn(`urn:pulumi:bench::bench::${request.getType()}::${request.getName()}`)
      .setId(request.getCustom() ? "id" : "")
      .setObject(request.getObject());
  }),
  registerResourceOutputs: answer(() => new Empty()),
  signalAndWaitForShutdown: answer(() => new Empty()),
};

const echoEngine: UntypedServiceImplementation = {
  log: answer(() => new Empty()),
  setRootResource: answer(() => new engine.SetRootResourceResponse()),
  getRootResource: answer(() => new engine.GetRootResourceResponse()),
};

async function serveEcho(): Promise<{ server: Server; address: string }> {
  const server = new Server(GRPC_OPTIONS);
  server.addService(ResourceMonitorService, echoMonitor);
  server.addService(EngineService, echoEngine);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { server, address: `127.0.0.1:${port}` };
}

/** Milliseconds the SDK's runner needs for the program by itself. */
async function runnerAlone(folder: string, address: string): Promise<number> {
  const start = Date.now();
  const running = Program.start({
    project: loadProject(folder),
    stack: "bench",
    isPreview: false,
    parallel: 8,
    config: { values: {}, secretKeys: [] },
    engineAddress: address,
    environment: environment(folder),
    guard,
    onLine: (line) => process.stderr.write(`${line}\n`),
  });
  const { code } = await running.ended;
  if (code !== 0) throw new Error(`the runner ended with ${code}`);
  return Date.now() - start;
}

/** Milliseconds a provider needs from its start until it is configured. */
async function pluginAlone(folder: string, address: string): Promise<number> {
  const registry = new Registry({
    engineAddress: address,
    folder,
    root: folder,
    program: folder,
    environment: environment(folder),
    onLine: () => undefined,
  });
  const urn = "urn:pulumi:bench::bench::pulumi:providers:command::default";
  const start = Date.now();
  await registry.check(urn, "pulumi:providers:command", undefined, {});
  await registry.activate(urn, "1", {});
  const milliseconds = Date.now() - start;
  await registry.stop();
  return milliseconds;
}

async function main(): Promise<void> {
  const folder = makeProject();
  const { server, address } = await serveEcho();
  try {
    const first = await up(folder);
    const state = path.join(folder, "backend", ".pulumi", "stacks", "bench", "bench.json");
    const before = fs.statSync(state).mtimeMs;
    let memory = first.memory;
    const times = { noop: Infinity, runner: Infinity, plugin: Infinity };
    // Turn by turn, so that a machine that gets busier does so for all three.
    for (let round = 0; round < rounds; round++) {
      const run = await up(folder);
      memory = Math.max(memory, run.memory);
      times.noop = Math.min(times.noop, run.milliseconds);
      times.runner = Math.min(times.runner, await runnerAlone(folder, address));
      times.plugin = Math.min(times.plugin, await pluginAlone(folder, address));
    }
    const isRewritten = fs.statSync(state).mtimeMs !== before;
    const result = {
      resources: count,
      createSeconds: seconds(first.milliseconds),
      noopSeconds: seconds(times.noop),
      runnerSeconds: seconds(times.runner),
      pluginSeconds: seconds(times.plugin),
      addedSeconds: seconds(times.noop - times.runner - times.plugin),
      peakMemoryMiB: Math.round(memory),
      stateMiB: Math.round((fs.statSync(state).size / 1024 / 1024) * 10) / 10,
      stateRewrittenByNoop: isRewritten,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } finally {
    server.forceShutdown();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 10) / 100;
}

void main();
