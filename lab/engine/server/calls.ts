import {
  status,
  type handleUnaryCall,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceError,
} from "@grpc/grpc-js";
import { EngineError, messageOf } from "../errors";
import { Stopped } from "../deployment/outcome";
import { StepFailed } from "../deployment/steps";

/**
 * Serves a call with an async function. A run that is stopping answers UNAVAILABLE, at which the SDK ends quietly;
 * what the program asked wrongly is INVALID_ARGUMENT, which the SDK shows with the resource's name.
 */
export function unary<Request, Response>(
  serve: (request: Request) => Promise<Response>,
  onUnexpected: (error: unknown) => void,
): handleUnaryCall<Request, Response> {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    // Inside an async function a throw before the first await is a rejection too.
    void (async () => serve(call.request))().then(
      (response) => callback(null, response),
      (error: unknown) => callback(asServiceError(error, onUnexpected)),
    );
  };
}

/** A method that is not served, with words for the program's author. */
export function refuse<Request, Response>(feature: string): handleUnaryCall<Request, Response> {
  const details = `the embedded engine does not support ${feature}; use the Pulumi CLI`;
  return (_call, callback): void => callback({ code: status.UNIMPLEMENTED, details });
}

function asServiceError(
  error: unknown,
  onUnexpected: (error: unknown) => void,
): Partial<ServiceError> {
  if (error instanceof Stopped || error instanceof StepFailed) {
    return { code: status.UNAVAILABLE, details: "the run is stopping" };
  }
  if (error instanceof EngineError)
    return { code: status.INVALID_ARGUMENT, details: error.message };
  onUnexpected(error);
  return { code: status.UNKNOWN, details: messageOf(error) };
}
