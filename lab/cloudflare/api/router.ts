import { type Permission } from "../account/tokens";

/** A request that has passed authentication. */
export interface ApiRequest {
  /** Named parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The JSON object of the body; empty where there was none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a request is answered with; `page` makes a list of it. */
export type Answer =
  { readonly result: unknown } | { readonly list: readonly unknown[]; readonly perPage: number };

export interface Route {
  readonly method: string;
  /** Path with `:name` for its parts. */
  readonly path: string;
  /** Null for what every token may do. */
  readonly needs: Permission | null;
  handle(request: ApiRequest): Answer;
}

export function route(
  method: string,
  path: string,
  needs: Permission | null,
  handle: (request: ApiRequest) => Answer,
): Route {
  return { method, path, needs, handle };
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? "";
    if (part.startsWith(":")) params[part.slice(1)] = decodeURIComponent(actual);
    else if (part !== actual) return null;
  }
  return params;
}

export interface Match {
  readonly route: Route;
  readonly params: Record<string, string>;
}

/** The route for a request; `"method"` when the path is known with other methods only. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  path: string,
): Match | "method" | null {
  let known = false;
  for (const candidate of routes) {
    const params = matchPath(candidate.path, path);
    if (params === null) continue;
    if (candidate.method === method) return { route: candidate, params };
    known = true;
  }
  return known ? "method" : null;
}
