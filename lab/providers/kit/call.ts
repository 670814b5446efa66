import {
  type handleUnaryCall,
  type sendUnaryData,
  type ServerUnaryCall,
  status,
} from "@grpc/grpc-js";
import { type ValueMap } from "../../wire";
import { runAborted } from "./abort";
import { ProviderError, toServiceError } from "./errors";
import { type EngineLog } from "./log";
import { createSecretScope, type SecretScope } from "./secrets";
import { type CallContext, type ProviderSpec, type ResourceSpec } from "./types";
import { parseUrn } from "./urn";

/** What a running provider knows between calls. */
export interface ProviderState<Config> {
  readonly spec: ProviderSpec<Config>;
  readonly log: EngineLog;
  /** Aborted by Cancel. */
  readonly cancelled: AbortController;
  config: Config | undefined;
  isConfigured: boolean;
}

/** What a handler needs to know of the request before it runs. */
export interface RequestFacts {
  readonly urn: string;
  readonly id?: string;
  /** All values that came, marks included. */
  readonly values: readonly ValueMap[];
  /** The inputs among them, for a partial failure. */
  readonly inputs?: ValueMap;
  /** Seconds, 0 for none. */
  readonly timeout?: number;
  readonly secretOutputs?: readonly string[];
  readonly publicFields?: readonly string[];
}

export interface Opened<Config> {
  readonly scope: SecretScope;
  readonly context: CallContext<Config>;
}

/** The resource that a request is about. Throws for a type the provider does not have. */
export function resourceOf<Config>(
  state: ProviderState<Config>,
  urn: string,
): ResourceSpec<Config> {
  const { type } = parseUrn(urn);
  const resources = state.spec.resources;
  if (Object.hasOwn(resources, type)) return resources[type]!;
  throw new ProviderError(
    `${state.spec.name} has no resource of type ${type || `(none, in "${urn}")`}. ` +
      `Available: ${Object.keys(resources).join(", ")}`,
    status.NOT_FOUND,
  );
}

function configOf<Config>(state: ProviderState<Config>): Config {
  if (state.spec.configure && !state.isConfigured) {
    const message = `${state.spec.name} was not configured`;
    throw new ProviderError(message, status.FAILED_PRECONDITION);
  }
  return state.config as Config;
}

/**
 * Makes a gRPC handler: opens the request's secrets, runs the call under a signal, waits until its log lines are out,
 * and dresses its errors.
 */
export function handler<Config, Request, Response>(
  state: ProviderState<Config>,
  factsOf: (request: Request) => RequestFacts,
  run: (request: Request, opened: Opened<Config>) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void answer(state, call, callback, factsOf, run);
  };
}

async function answer<Config, Request, Response>(
  state: ProviderState<Config>,
  call: ServerUnaryCall<Request, Response>,
  callback: sendUnaryData<Response>,
  factsOf: (request: Request) => RequestFacts,
  run: (request: Request, opened: Opened<Config>) => Promise<Response> | Response,
): Promise<void> {
  let facts: RequestFacts = { urn: "", values: [] };
  let scope = createSecretScope([]);
  try {
    facts = factsOf(call.request);
    scope = createSecretScope(facts.values, facts.publicFields);
    const signal = signalOf(call, state.cancelled.signal, facts.timeout ?? 0);
    const context: CallContext<Config> = {
      urn: facts.urn,
      name: parseUrn(facts.urn).name,
      get config() {
        return configOf(state);
      },
      signal,
      log: state.log.forResource(facts.urn, scope.mask),
    };
    const response = await runAborted(signal, async () => run(call.request, { scope, context }));
    await state.log.flush();
    callback(null, response);
  } catch (error) {
    await state.log.flush();
    const inputs = facts.inputs ?? {};
    callback(
      toServiceError(error, {
        id: facts.id ?? "",
        inputs,
        mask: scope.mask,
        seal: (outputs) => scope.seal(outputs, inputs, facts.secretOutputs),
      }),
    );
  }
}

/** Aborts when the provider is cancelled, the engine hangs up, or the request's time (seconds, 0 for none) is over. */
function signalOf(
  call: ServerUnaryCall<unknown, unknown>,
  cancelled: AbortSignal,
  timeout: number,
): AbortSignal {
  const hungUp = new AbortController();
  call.once("cancelled", () => {
    hungUp.abort(new DOMException("the engine hung up", "AbortError"));
  });
  const signals = [cancelled, hungUp.signal];
  if (timeout > 0) {
    const ms = timeout * 1000;
    // Longer than a timer can be is as good as none.
    if (ms < 2 ** 31) signals.push(timeoutSignal(ms, timeout));
  }
  return AbortSignal.any(signals);
}

function timeoutSignal(ms: number, seconds: number): AbortSignal {
  const over = new AbortController();
  const message = `not done within ${seconds} s (customTimeouts)`;
  setTimeout(() => over.abort(new DOMException(message, "TimeoutError")), ms).unref();
  return over.signal;
}
