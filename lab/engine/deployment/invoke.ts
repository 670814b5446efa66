import { EngineError } from "../errors";
import { type CheckFailure } from "../host/provider";
import { packageOf } from "../plan/urn";
import { type Context } from "./context";
import { type Registrar } from "./registrar";
import { fromStruct, type ValueMap } from "../../wire";

export interface InvokeRequest {
  token: string;
  args: ValueMap;
  /** `<urn>::<id>`; undefined for the package's default provider. */
  provider?: string;
  version: string;
}

/** Calls a provider's function. @throws EngineError when the engine would have to answer it itself. */
export async function invoke(
  context: Context,
  registrar: Registrar,
  request: InvokeRequest,
): Promise<{ result: ValueMap; failures: CheckFailure[] }> {
  context.outcome.check();
  const packageName = packageOf(request.token);
  if (packageName === "pulumi") {
    throw new EngineError(`the embedded engine does not support the function ${request.token}`);
  }
  const reference =
    request.provider ?? (await registrar.defaultProvider(packageName, request.version));
  const provider = context.registry.get(reference);
  const response = await context.limiter.run(() =>
    provider.invoke(request.token, request.args, context.isPreview),
  );
  const result = fromStruct(response.getReturn());
  context.events.known(result);
  return {
    result,
    failures: response.getFailuresList().map((failure) => ({
      property: failure.getProperty(),
      reason: failure.getReason(),
    })),
  };
}
