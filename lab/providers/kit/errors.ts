import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { type CheckFailure } from "./types";
import { toStruct, type ValueMap } from "../../wire";

/**
 * An error with a gRPC code of its own. Any other error is UNKNOWN, like those of the official providers. The engine
 * takes UNKNOWN, INTERNAL and DATA_LOSS as "nobody knows what happened" and every other code as "nothing happened".
 */
export class ProviderError extends Error {
  constructor(
    message: string,
    readonly code: status = status.UNKNOWN,
  ) {
    super(message);
  }
}

/** The resource exists but is not well: the engine keeps id and outputs and tries an update next time. */
export class PartialFailure extends Error {
  constructor(
    readonly reasons: readonly string[],
    /** Undefined in an update: the id stays. */
    readonly id: string | undefined,
    readonly outputs: ValueMap,
  ) {
    super(reasons.join("; "));
  }
}

/** Thrown by an invoke: its arguments are wrong, each for a reason. */
export class InvalidArguments extends Error {
  constructor(readonly failures: readonly CheckFailure[]) {
    super(failures.map(({ property, reason }) => `${property}: ${reason}`).join("; "));
  }
}

/** How a request changes what goes out with an error. */
export interface ErrorDressing {
  mask(text: string): string;
  seal(outputs: ValueMap): ValueMap;
  /** Id and inputs of the resource that the request is about. */
  readonly id: string;
  readonly inputs: ValueMap;
}

/** Any thrown value as what gRPC sends: masked text, code, and for a partial failure the details that Go expects. */
export function toServiceError(error: unknown, dressing: ErrorDressing): ServiceError {
  const message = dressing.mask(error instanceof Error ? error.message : String(error));
  const code = codeOf(error);
  const metadata = new Metadata();
  if (error instanceof PartialFailure) {
    const detail = new ErrorResourceInitFailed()
      .setId(error.id ?? dressing.id)
      .setProperties(toStruct(dressing.seal(error.outputs)))
      .setInputs(toStruct(dressing.inputs))
      .setReasonsList(error.reasons.map((reason) => dressing.mask(reason)));
    const any = new Any();
    any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const sent = new Status();
    sent.setCode(code);
    sent.setMessage(message);
    sent.addDetails(any);
    metadata.add("grpc-status-details-bin", Buffer.from(sent.serializeBinary()));
  }
  return { name: "ServiceError", message, details: message, code, metadata };
}

function codeOf(error: unknown): status {
  if (error instanceof ProviderError) return error.code;
  if (error instanceof DOMException && error.name === "TimeoutError")
    return status.DEADLINE_EXCEEDED;
  if (error instanceof DOMException && error.name === "AbortError") return status.CANCELLED;
  return status.UNKNOWN;
}
