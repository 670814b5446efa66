import * as grpc from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

import { type Properties } from "./values";

/** The object was made or changed, but did not become ready: it has an id, and the reasons. */
export class NotReadyError extends Error {
  constructor(
    readonly id: string,
    readonly outputs: Properties,
    readonly inputs: Properties,
    readonly reasons: string[],
  ) {
    super(`${id} is not ready: ${reasons.join("; ")}`);
  }
}

/** The error as gRPC carries it; partial failures travel in the status details, as Pulumi wants them. */
export function asServiceError(error: unknown): Partial<grpc.StatusObject> {
  const message = error instanceof Error ? error.message : String(error);
  const code = grpc.status.UNKNOWN;
  if (!(error instanceof NotReadyError)) return { code, details: message };
  const detail = new ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(Struct.fromJavaScript(error.outputs as Record<string, never>))
    .setInputs(Struct.fromJavaScript(error.inputs as Record<string, never>))
    .setReasonsList(error.reasons);
  const packed = new Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const sent = new Status().setCode(code).setMessage(message);
  sent.addDetails(packed);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(sent.serializeBinary()));
  return { code, details: message, metadata };
}
