import { Server, ServerCredentials } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import { messageOf } from "../errors";
import { type Context } from "../deployment/context";
import { Limiter } from "../deployment/limiter";
import { Outcome } from "../deployment/outcome";
import { Run } from "../deployment/run";
import { type RunRecord } from "../display/record";
import { GRPC_OPTIONS } from "../host/plugin";
import { Registry } from "../host/registry";
import { Program } from "../program/program";
import { engineService } from "../server/engineService";
import { monitorService } from "../server/monitor";
import { STACK_TYPE } from "../state/resource";
import { Saver } from "../state/saver";
import { Snapshot } from "../state/snapshot";
import { Interrupts } from "./interrupts";
import { type Session } from "./session";

export interface RunOptions {
  kind: "update" | "destroy";
  isPreview: boolean;
  parallel: number;
  continueOnError: boolean;
  /** Path of programGuard.js. */
  guard: string;
}

export interface RunResult {
  isFailed: boolean;
  isCancelled: boolean;
}

/** Runs the program (or, for a destroy, nothing) against the stack once, from the first plugin to the last. */
export async function perform(
  session: Session,
  record: RunRecord,
  options: RunOptions,
): Promise<RunResult> {
  const outcome = new Outcome(record, options.continueOnError);
  const server = new Server(GRPC_OPTIONS);
  const address = await bind(server);
  const registry = new Registry({
    engineAddress: address,
    folder: session.project.programFolder,
    root: session.project.root,
    program: session.project.programFolder,
    environment: pluginEnvironment(session),
    onLine: (plugin, message) =>
      record.diagnostic({ severity: "info", message: `${plugin}: ${message}` }),
  });
  const snapshot = makeSnapshot(session, options.isPreview);
  warnOfPendingOperations(record, snapshot, options.isPreview);
  const run = new Run(makeContext(session, options, { outcome, registry, snapshot, record }));
  server.addService(ResourceMonitorService, monitorService(run));
  server.addService(EngineService, engineService(run));
  const interrupts = new Interrupts(outcome, record);
  interrupts.onForce(() => registry.kill());
  try {
    if (options.kind === "destroy") await run.destroy();
    else await runProgram(session, record, options, run, address, interrupts);
  } catch (error) {
    outcome.fail({ message: messageOf(error) }, true);
  } finally {
    await registry.stop();
    server.forceShutdown();
    interrupts.close();
  }
  return { isFailed: outcome.isFailed, isCancelled: outcome.isCancelled };
}

async function runProgram(
  session: Session,
  record: RunRecord,
  options: RunOptions,
  run: Run,
  engineAddress: string,
  interrupts: Interrupts,
): Promise<void> {
  const program = Program.start({
    project: session.project,
    stack: session.id.stack,
    isPreview: options.isPreview,
    parallel: options.parallel,
    config: session.config,
    engineAddress,
    environment: session.environment,
    guard: options.guard,
    onLine: (message) => record.diagnostic({ severity: "info", message }),
  });
  interrupts.onForce(() => program.kill());
  try {
    await run.execute(program);
  } finally {
    program.kill();
  }
}

function makeSnapshot(session: Session, isPreview: boolean): Snapshot {
  if (isPreview) return new Snapshot(session.deployment, () => Promise.resolve());
  const saver = new Saver(session.vault, (text) => session.store.write(session.id, text));
  return new Snapshot(session.deployment, (snapshot) => saver.save(snapshot));
}

function makeContext(
  session: Session,
  options: RunOptions,
  parts: { outcome: Outcome; registry: Registry; snapshot: Snapshot; record: RunRecord },
): Context {
  const stack = session.deployment.resources.find(
    (state) => state.type === STACK_TYPE && !state.delete,
  );
  return {
    project: session.project.name,
    stack: session.id.stack,
    isPreview: options.isPreview,
    continueOnError: options.continueOnError,
    config: session.config.values,
    secretConfigKeys: session.config.secretKeys,
    stackOutputs: stack?.outputs ?? {},
    snapshot: parts.snapshot,
    registry: parts.registry,
    limiter: new Limiter(options.parallel),
    events: parts.record,
    outcome: parts.outcome,
  };
}

function warnOfPendingOperations(record: RunRecord, snapshot: Snapshot, isPreview: boolean): void {
  for (const { type, resource } of snapshot.pendingOperations()) {
    const next = isPreview
      ? "`pulumi up` will look what became of it"
      : "looking what became of it";
    const message = `an earlier run was interrupted while ${type} this resource; ${next}`;
    record.diagnostic({ severity: "warning", urn: resource.urn, message });
  }
}

function pluginEnvironment(session: Session): NodeJS.ProcessEnv {
  return {
    ...session.environment,
    PULUMI_PROJECT: session.project.name,
    PULUMI_STACK: session.id.stack,
    PULUMI_ORGANIZATION: "organization",
  };
}

function bind(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(`127.0.0.1:${port}`);
    });
  });
}
