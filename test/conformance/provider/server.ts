import * as grpc from "@grpc/grpc-js";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import * as fs from "node:fs";

import { Calls } from "./calls";
import { Cloud } from "./cloud";
import { asServiceError } from "./failure";
import { type Properties } from "./values";

const version = "1.0.0";

type Handler<Request, Response> = (request: Request) => Promise<Response> | Response;

function unary<Request, Response>(
  handler: Handler<Request, Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void (async () => handler(call.request))().then(
      (response) => callback(null, response),
      (error: unknown) => callback(asServiceError(error)),
    );
  };
}

function read(struct: Struct | undefined): Properties {
  return (struct?.toJavaScript() ?? {}) as Properties;
}

function write(properties: Properties): Struct {
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)) as Record<string, never>);
}

function checked(answer: { inputs: Properties; failures: [string, string][] }) {
  const response = new provider.CheckResponse().setInputs(write(answer.inputs));
  for (const [property, reason] of answer.failures) {
    response.addFailures(new provider.CheckFailure().setProperty(property).setReason(reason));
  }
  return response;
}

const changes = {
  none: provider.DiffResponse.DiffChanges.DIFF_NONE,
  some: provider.DiffResponse.DiffChanges.DIFF_SOME,
  unknown: provider.DiffResponse.DiffChanges.DIFF_UNKNOWN,
};

/**
 * Serves the conformance provider, straight on gRPC: it has to misbehave in ways that the provider kit
 * rules out (DIFF_UNKNOWN, secrets taken in clear, errors that quote them). Runs until its engine is gone: Cancel, SIGINT, SIGTERM and the end of stdin
 * all end it.
 */
export function serve(cloudDirectory: string): void {
  const calls = new Calls(new Cloud(cloudDirectory));
  const acceptSecrets = process.env["CONF_ACCEPT_SECRETS"] !== "0";
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  const handlers: Record<string, grpc.handleUnaryCall<never, unknown>> = {
    handshake: unary(() =>
      new provider.ProviderHandshakeResponse().setAcceptSecrets(acceptSecrets),
    ),
    getPluginInfo: unary(() => new PluginInfo().setVersion(version)),
    checkConfig: unary((request: provider.CheckRequest) =>
      checked(calls.checkConfig(read(request.getNews()))),
    ),
    diffConfig: unary((request: provider.DiffRequest) => {
      const diff = calls.diffConfig(read(request.getOldInputs()), read(request.getNews()));
      return new provider.DiffResponse()
        .setChanges(changes[diff.changes])
        .setDiffsList(diff.diffs)
        .setReplacesList(diff.replaces);
    }),
    configure: unary((request: provider.ConfigureRequest) => {
      calls.configure(read(request.getArgs()));
      return new provider.ConfigureResponse()
        .setAcceptsecrets(acceptSecrets)
        .setSupportspreview(true);
    }),
    invoke: unary(async (request: provider.InvokeRequest) => {
      const answer = await calls.invoke(request.getTok(), read(request.getArgs()));
      return new provider.InvokeResponse().setReturn(write(answer));
    }),
    check: unary((request: provider.CheckRequest) =>
      checked(calls.check(request.getUrn(), read(request.getOlds()), read(request.getNews()))),
    ),
    diff: unary((request: provider.DiffRequest) => {
      const diff = calls.diff(
        request.getUrn(),
        request.getId(),
        read(request.getOldInputs()),
        read(request.getNews()),
        request.getIgnorechangesList(),
      );
      return new provider.DiffResponse()
        .setChanges(changes[diff.changes])
        .setDiffsList(diff.diffs)
        .setReplacesList(diff.replaces)
        .setDeletebeforereplace(diff.deleteBeforeReplace);
    }),
    create: unary(async (request: provider.CreateRequest) => {
      const made = await calls.create(
        request.getUrn(),
        read(request.getProperties()),
        request.getPreview(),
      );
      return new provider.CreateResponse().setId(made.id).setProperties(write(made.outputs));
    }),
    read: unary((request: provider.ReadRequest) => {
      const found = calls.read(request.getUrn(), request.getId(), read(request.getInputs()));
      const response = new provider.ReadResponse();
      if (found === undefined) return response;
      return (
        response
          .setId(found.id)
          .setProperties(write(found.outputs))
          // For an import the engine has no inputs to give.
          .setInputs(
            Object.keys(read(request.getInputs())).length > 0
              ? request.getInputs()
              : write(found.inputs),
          )
      );
    }),
    update: unary(async (request: provider.UpdateRequest) => {
      const outputs = await calls.update(
        request.getUrn(),
        request.getId(),
        read(request.getOlds()),
        read(request.getNews()),
        request.getPreview(),
      );
      return new provider.UpdateResponse().setProperties(write(outputs));
    }),
    delete: unary(async (request: provider.DeleteRequest) => {
      await calls.delete(request.getUrn(), request.getId(), read(request.getProperties()));
      return new Empty();
    }),
    cancel: unary(() => new Empty()),
  };
  server.addService(
    ResourceProviderService,
    handlers as unknown as grpc.UntypedServiceImplementation,
  );
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    fs.writeSync(1, `${port}\n`);
  });
  const end = () => process.exit(0);
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  process.stdin.on("end", end).on("close", end).resume();
}
