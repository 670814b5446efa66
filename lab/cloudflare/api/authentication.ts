import { type IncomingHttpHeaders } from "node:http";
import { type ApiToken } from "../account/tokens";
import { ApiError, refuse } from "./errors";

/** The token of a request. @throws ApiError for a request without one, with a malformed one or with an unknown one */
export function authenticate(headers: IncomingHttpHeaders, tokens: readonly ApiToken[]): ApiToken {
  const { authorization } = headers;
  if (authorization === undefined) {
    const message = "Missing X-Auth-Key, X-Auth-Email or Authorization headers";
    throw refuse(400, 9106, message);
  }
  const value = /^Bearer ([\w-]{20,128})$/.exec(authorization)?.[1];
  if (value === undefined) {
    const chain = [{ code: 6111, message: "Invalid format for Authorization header" }];
    throw new ApiError(400, [
      { code: 6003, message: "Invalid request headers", error_chain: chain },
    ]);
  }
  const token = tokens.find((known) => known.value === value);
  if (token === undefined) throw refuse(401, 10000, "Authentication error");
  return token;
}
