import { status } from "@grpc/grpc-js";
import { type IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { fromStruct, toStruct } from "../../wire";
import { handler, type ProviderState } from "./call";
import { diffInputs } from "./diff";
import { InvalidArguments, ProviderError } from "./errors";
import { resourceHandlers } from "./resourceService";
import { toCheckResponse, toDiffResponse, toFailures } from "./responses";

/** The gRPC methods of a provider. Whatever is not here answers UNIMPLEMENTED, which engines take well. */
export function createService<Config>(
  state: ProviderState<Config>,
): Partial<IResourceProviderServer> {
  const { spec } = state;
  return {
    ...resourceHandlers(state),

    handshake: handler(
      state,
      () => ({ urn: "", values: [] }),
      (request: pb.ProviderHandshakeRequest) => {
        state.log.setAddress(request.getEngineAddress());
        return new pb.ProviderHandshakeResponse().setAcceptSecrets(true);
      },
    ),

    getPluginInfo: handler(
      state,
      () => ({ urn: "", values: [] }),
      () => new plugin.PluginInfo().setVersion(spec.version),
    ),

    checkConfig: handler(
      state,
      (request: pb.CheckRequest) => ({
        urn: request.getUrn(),
        values: [fromStruct(request.getNews())],
      }),
      async (request, { scope }) => {
        const news = fromStruct(request.getNews());
        const result = (await spec.checkConfig?.(scope.open(news))) ?? { inputs: scope.open(news) };
        return toCheckResponse(scope.seal(result.inputs, news), result.failures ?? [], scope.mask);
      },
    ),

    diffConfig: handler(
      state,
      (request: pb.DiffRequest) => ({ urn: request.getUrn(), values: [] }),
      (request) => {
        const olds = fromStruct(request.getOldInputs() ?? request.getOlds());
        const news = fromStruct(request.getNews());
        return toDiffResponse(diffInputs(olds, news));
      },
    ),

    configure: handler(
      state,
      (request: pb.ConfigureRequest) => ({ urn: "", values: [fromStruct(request.getArgs())] }),
      async (request, { scope }) => {
        const inputs = scope.open(fromStruct(request.getArgs()));
        state.config = await spec.configure?.(inputs);
        state.isConfigured = true;
        return new pb.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
      },
    ),

    invoke: handler(
      state,
      (request: pb.InvokeRequest) => ({ urn: "", values: [fromStruct(request.getArgs())] }),
      async (request, { scope, context }) => {
        const invokes = spec.invokes ?? {};
        const token = request.getTok();
        const invoke = Object.hasOwn(invokes, token) ? invokes[token] : undefined;
        if (!invoke) {
          throw new ProviderError(`${spec.name} has no function ${token}`, status.NOT_FOUND);
        }
        const args = fromStruct(request.getArgs());
        const response = new pb.InvokeResponse();
        try {
          const preview = request.getPreview();
          const result = await invoke.call({ args: scope.open(args), preview, context });
          return response.setReturn(toStruct(scope.seal(result, args, invoke.secretOutputs)));
        } catch (error) {
          if (!(error instanceof InvalidArguments)) throw error;
          return response.setFailuresList(toFailures(error.failures, scope.mask));
        }
      },
    ),

    cancel: (_call, callback) => {
      state.cancelled.abort(new DOMException("cancelled by the engine", "AbortError"));
      callback(null, new Empty());
    },
  };
}
