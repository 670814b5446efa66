import { Server, ServerCredentials } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { type ProviderState } from "./call";
import { endWithEngine } from "./lifecycle";
import { EngineLog } from "./log";
import { createService } from "./service";
import { type ProviderSpec } from "./types";

/** Bytes that a message may have, as the engine and the SDKs allow. */
const MAX_MESSAGE = 400 * 1024 * 1024;

/**
 * Runs a provider as an engine plugin until the engine ends it: listens on a free loopback port, writes the port as
 * the first line of stdout, and serves.
 * @param argv arguments of the process; the first that is no flag is the engine's address
 */
export async function serve<Config>(
  spec: ProviderSpec<Config>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  endWithEngine(() => spec.onExit?.());
  const state: ProviderState<Config> = {
    spec,
    log: new EngineLog(argv.find((argument) => /^[^-].*:\d+$/.test(argument))),
    cancelled: new AbortController(),
    config: undefined,
    isConfigured: false,
  };
  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE,
    "grpc.max_send_message_length": MAX_MESSAGE,
  });
  server.addService(ResourceProviderService, createService(state) as never);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  process.stdout.write(`${port}\n`);
}
