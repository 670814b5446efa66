import { type Value, type ValueMap } from "../../wire";
import { type CheckFailure, type CheckResult } from "../kit";
import { Client } from "./client";

const DEFAULT_URL = "https://api.cloudflare.com/client/v4";

/** Setting → environment variable that stands in for it. */
const VARIABLES: Readonly<Record<string, string>> = {
  apiToken: "CLOUDFLARE_API_TOKEN",
  apiKey: "CLOUDFLARE_API_KEY",
  email: "CLOUDFLARE_EMAIL",
  apiUserServiceKey: "CLOUDFLARE_API_USER_SERVICE_KEY",
  baseUrl: "CLOUDFLARE_BASE_URL",
};

/** The lab's own: milliseconds in the place of the first pause between attempts, which is 2000. */
export const PAUSE_VARIABLE = "LAB_CLOUDFLARE_BACKOFF_MS";

function textOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Known settings only; credentials are judged when they are used, because they may be unknown in a preview. */
export function checkSettings(news: ValueMap): CheckResult {
  const known = [...Object.keys(VARIABLES), "userAgentOperatorSuffix", "version"];
  const failures: CheckFailure[] = Object.keys(news)
    .filter((key) => !known.includes(key) && !key.startsWith("__"))
    .map((property) => ({ property, reason: "Unexpected property" }));
  return { inputs: news, failures };
}

/** @throws Error in the official provider's words, without a credential or with more than one */
export function makeClient(inputs: ValueMap, env: NodeJS.ProcessEnv = process.env): Client {
  const of = (key: string): string => textOf(inputs[key]) || (env[VARIABLES[key] ?? ""] ?? "");
  const [apiToken, apiKey, email] = [of("apiToken"), of("apiKey"), of("email")];
  const serviceKey = of("apiUserServiceKey");
  const given = [apiToken, apiKey, serviceKey].filter((value) => value !== "");
  if (given.length !== 1) {
    throw new Error(
      'must provide exactly one of "api_key", "api_token" or "api_user_service_key".',
    );
  }
  if (apiToken !== "" && !/^[\w-]{40,80}$/.test(apiToken)) {
    throw new Error(
      "API tokens must only contain characters a-z, A-Z, 0-9, hyphens and underscores, 40 to 80 of them",
    );
  }
  if (apiKey !== "" && email === "") throw new Error('"email" is required when using "api_key"');
  const credentials: Record<string, string> =
    apiToken !== ""
      ? { authorization: `Bearer ${apiToken}` }
      : apiKey !== ""
        ? { "x-auth-key": apiKey, "x-auth-email": email }
        : { "x-auth-user-service-key": serviceKey };
  const pause = Number(env[PAUSE_VARIABLE]);
  return new Client({
    baseUrl: of("baseUrl") || DEFAULT_URL,
    credentials,
    firstPause: Number.isFinite(pause) && pause > 0 ? pause : undefined,
  });
}
