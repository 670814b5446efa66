/** One entry of an answer's `errors`. */
export interface ApiMessage {
  readonly code: number;
  readonly message: string;
  readonly error_chain?: readonly ApiMessage[];
}

/** Refuses a request, in the words of the published API. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly errors: readonly ApiMessage[],
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(errors.map(({ message }) => message).join("; "));
  }
}

export function refuse(status: number, code: number, message: string): ApiError {
  return new ApiError(status, [{ code, message }]);
}

export const noRoute = (path: string): ApiError =>
  new ApiError(404, [
    {
      code: 7003,
      message: `Could not route to ${path}, perhaps your object identifier is invalid?`,
    },
    { code: 7000, message: "No route for that URI" },
  ]);

export const malformed = (message: string): ApiError => refuse(400, 1003, message);

/** The API does not say whether a thing of somebody else's exists. */
export const notAllowed = (): ApiError => refuse(403, 10000, "Authentication error");
