import { type UntypedServiceImplementation } from "@grpc/grpc-js";
import * as proto from "@pulumi/pulumi/proto/engine_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineError } from "../errors";
import { type Severity } from "../deployment/events";
import { type Run } from "../deployment/run";
import { satisfies } from "../plan/versionRange";
import { refuse, unary } from "./calls";

/** The release of the Pulumi CLI whose behaviour this engine reproduces; `requirePulumiVersion` is held against it. */
export const EQUIVALENT_VERSION = "3.248.0";

const SEVERITIES: Record<number, Severity> = {
  [proto.LogSeverity.INFO]: "info",
  [proto.LogSeverity.WARNING]: "warning",
  [proto.LogSeverity.ERROR]: "error",
};

/** Serves what programs and providers tell the engine. */
export function engineService(run: Run): UntypedServiceImplementation {
  return {
    log: unary((request: proto.LogRequest) => {
      const severity = SEVERITIES[request.getSeverity()];
      // While a run stops, the SDK reports calls that it broke off itself: nobody needs to see that.
      const isNoise = severity === "error" && run.context.outcome.isStopping;
      if (severity && !isNoise) {
        run.context.events.diagnostic({
          severity,
          message: request.getMessage(),
          urn: request.getUrn() || undefined,
          isStream: request.getEphemeral(),
        });
      }
      return Promise.resolve(new Empty());
    }, run.unexpected),
    setRootResource: unary((request: proto.SetRootResourceRequest) => {
      run.rootUrn = request.getUrn();
      return Promise.resolve(new proto.SetRootResourceResponse());
    }, run.unexpected),
    getRootResource: unary(() => {
      const response = new proto.GetRootResourceResponse();
      response.setUrn(run.rootUrn);
      return Promise.resolve(response);
    }, run.unexpected),
    requirePulumiVersion: unary((request: proto.RequirePulumiVersionRequest) => {
      const range = request.getPulumiVersionRange();
      if (satisfies(EQUIVALENT_VERSION, range)) {
        return Promise.resolve(new proto.RequirePulumiVersionResponse());
      }
      throw new EngineError(
        `the program requires Pulumi ${range}; the embedded engine is equivalent to ${EQUIVALENT_VERSION}`,
      );
    }, run.unexpected),
    startDebugging: refuse("debugging"),
  };
}
