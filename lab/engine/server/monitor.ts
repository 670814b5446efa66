import { type UntypedServiceImplementation } from "@grpc/grpc-js";
import { CheckFailure, InvokeResponse } from "@pulumi/pulumi/proto/provider_pb";
import * as proto from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineError, Unsupported } from "../errors";
import { readGoal } from "../deployment/goal";
import { invoke } from "../deployment/invoke";
import { type Registered } from "../deployment/registrar";
import { readStackReference } from "../deployment/stackReference";
import { type Run } from "../deployment/run";
import { refuse, unary } from "./calls";
import { fromStruct, toStruct } from "../../wire";

/** Feature ids the SDK asks for; whatever is not here is not supported, which makes the SDK refuse its use. */
const FEATURES = new Set(["secrets"]);

/** Serves the program's calls about resources. */
export function monitorService(run: Run): UntypedServiceImplementation {
  const serve = <Request, Response>(work: (request: Request) => Promise<Response>) =>
    unary<Request, Response>((request) => run.track(() => work(request)), run.unexpected);
  return {
    supportsFeature: serve((request: proto.SupportsFeatureRequest) => {
      const response = new proto.SupportsFeatureResponse();
      response.setHassupport(FEATURES.has(request.getId()));
      return Promise.resolve(response);
    }),
    registerResource: serve(async (request: proto.RegisterResourceRequest) => {
      return registered(await run.registrar.register(readGoal(request)));
    }),
    registerResourceOutputs: serve(async (request: proto.RegisterResourceOutputsRequest) => {
      await run.registerOutputs(request.getUrn(), fromStruct(request.getOutputs()));
      return new Empty();
    }),
    readResource: serve((request: proto.ReadResourceRequest) => readResource(run, request)),
    invoke: serve((request: proto.ResourceInvokeRequest) => callFunction(run, request)),
    // Not tracked: it waits for everything else.
    signalAndWaitForShutdown: unary(async () => {
      await run.finish();
      return new Empty();
    }, run.unexpected),
    getDeploymentInfo: refuse("GetDeploymentInfo"),
    call: refuse("method calls on resources"),
    registerStackTransform: refuse("stack transforms"),
    registerStackInvokeTransform: refuse("invoke transforms"),
    registerResourceHook: refuse("resource hooks"),
    registerErrorHook: refuse("error hooks"),
    registerPackage: refuse("parameterized packages"),
  };
}

const RESULTS = {
  success: proto.Result.SUCCESS,
  failed: proto.Result.FAIL,
  skipped: proto.Result.SKIP,
} as const;

function registered({ state, result }: Registered): proto.RegisterResourceResponse {
  const response = new proto.RegisterResourceResponse();
  response.setUrn(state.urn);
  response.setId(state.id ?? "");
  response.setResult(RESULTS[result]);
  // A component's outputs come from the program itself; sending the old ones back would mix them in.
  const outputs = result === "success" ? state.outputs : (state.outputs ?? state.inputs);
  response.setObject(toStruct(state.custom ? (outputs ?? {}) : {}));
  return response;
}

async function readResource(
  run: Run,
  request: proto.ReadResourceRequest,
): Promise<proto.ReadResourceResponse> {
  run.context.outcome.check();
  const state = await readStackReference(run.context, run.registrar, {
    type: request.getType(),
    name: request.getName(),
    id: request.getId(),
    parent: request.getParent() || undefined,
    inputs: fromStruct(request.getProperties()),
    dependencies: request.getDependenciesList(),
  });
  const response = new proto.ReadResourceResponse();
  response.setUrn(state.urn);
  response.setProperties(toStruct(state.outputs ?? {}));
  return response;
}

async function callFunction(
  run: Run,
  request: proto.ResourceInvokeRequest,
): Promise<InvokeResponse> {
  if (request.getPlugindownloadurl() !== "") throw new Unsupported("pluginDownloadURL");
  if (request.getPackageref() !== "") throw new Unsupported("parameterized packages");
  try {
    const { result, failures } = await invoke(run.context, run.registrar, {
      token: request.getTok(),
      args: fromStruct(request.getArgs()),
      provider: request.getProvider() || undefined,
      version: request.getVersion(),
    });
    const response = new InvokeResponse();
    response.setReturn(toStruct(result));
    response.setFailuresList(
      failures.map(({ property, reason }) => {
        const failure = new CheckFailure();
        failure.setProperty(property);
        failure.setReason(reason);
        return failure;
      }),
    );
    return response;
  } catch (error) {
    // A failed function is the program's to handle: it may catch it.
    if (error instanceof Error && error.name === "ProviderError") {
      throw new EngineError(`invoking ${request.getTok()}: ${error.message}`);
    }
    throw error;
  }
}
