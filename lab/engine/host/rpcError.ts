import { status, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { fromStruct, type ValueMap } from "../../wire";

/** What a provider says of a resource that exists and did not get ready. */
export interface PartialFailure {
  id: string;
  outputs: ValueMap;
  reasons: string[];
}

/** A failed provider call. */
export class ProviderError extends Error {
  constructor(
    message: string,
    readonly partial?: PartialFailure,
    /** The provider went away in the middle: nobody knows whether the call took effect. */
    readonly isLost = false,
    readonly isUnimplemented = false,
  ) {
    super(message);
    this.name = "ProviderError";
  }
}

/** Reads a gRPC error, with the partial result that Create and Update may pack into its details. */
export function readRpcError(error: ServiceError): ProviderError {
  const partial = readPartialFailure(error.metadata);
  const message = partial?.reasons.join("\n") || error.details || error.message;
  const isLost = error.code === status.UNAVAILABLE || error.code === status.CANCELLED;
  return new ProviderError(message, partial, isLost, error.code === status.UNIMPLEMENTED);
}

const DETAIL_TYPE = "pulumirpc.ErrorResourceInitFailed";

function readPartialFailure(metadata: Metadata | undefined): PartialFailure | undefined {
  const bytes = metadata?.get("grpc-status-details-bin")[0];
  if (!Buffer.isBuffer(bytes)) return undefined;
  for (const detail of Status.deserializeBinary(bytes).getDetailsList()) {
    if (!detail.getTypeUrl().endsWith(DETAIL_TYPE)) continue;
    const failure = ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
    return {
      id: failure.getId(),
      outputs: fromStruct(failure.getProperties()),
      reasons: failure.getReasonsList(),
    };
  }
  return undefined;
}
