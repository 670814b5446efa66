/** What a provider needs: declare a ProviderSpec, `serve` it. */
export * from "./diff";
export { InvalidArguments, PartialFailure, ProviderError } from "./errors";
export { type Logger, type Severity } from "./log";
export { serve } from "./serve";
export * from "./types";
export { parseUrn } from "./urn";
