import { type IncomingHttpHeaders } from "node:http";
import {
  type Application,
  domainsOf,
  isValid,
  type Policy,
  type Selector,
  type ServiceToken,
} from "../account/access";
import { type Account } from "../account/account";

/** What becomes of a request at an application: `login` is what a browser would be sent to. */
export type Verdict = "denied" | "login" | "open" | "pass";

const ID_HEADER = "cf-access-client-id";
const SECRET_HEADER = "cf-access-client-secret";
/** Headers that prove something to the edge and are nobody else's business. */
export const CREDENTIAL_HEADERS: readonly string[] = [ID_HEADER, SECRET_HEADER];

function matches(pattern: string, host: string, path: string): boolean {
  const slash = pattern.indexOf("/");
  const [hostPart, pathPart] =
    slash < 0 ? [pattern, ""] : [pattern.slice(0, slash), pattern.slice(slash)];
  const quote = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  const isHost = new RegExp(`^${quote(hostPart).replace(/\*/g, "[^.]*")}$`, "i").test(host);
  if (!isHost || pathPart === "" || pathPart === "/") return isHost;
  return new RegExp(`^${quote(pathPart).replace(/\*/g, ".*")}(/|$)`).test(path);
}

/** The application that protects a path: of those that match, the one that says it most closely. */
export function applicationFor(
  account: Account,
  host: string,
  path: string,
): Application | undefined {
  const found = [...account.applications.values()].flatMap((application) =>
    domainsOf(application)
      .filter((pattern) => matches(pattern, host, path))
      .map((pattern) => ({ application, exactness: pattern.replace(/\*/g, "").length })),
  );
  return found.sort((a, b) => b.exactness - a.exactness)[0]?.application;
}

/** The service token that a request's headers prove, undefined when they prove none. */
export function serviceTokenOf(
  account: Account,
  headers: IncomingHttpHeaders,
  now = Date.now(),
): ServiceToken | undefined {
  const [id, secret] = [headers[ID_HEADER], headers[SECRET_HEADER]];
  if (typeof id !== "string" || typeof secret !== "string") return undefined;
  const token = [...account.serviceTokens.values()].find(({ clientId }) => clientId === id);
  return token !== undefined && isValid(token, secret, now) ? token : undefined;
}

interface Visitor {
  readonly token: ServiceToken | undefined;
  readonly address: string;
}

/** Whether a rule means the visitor; rules about people never do, because nobody logs in here. */
function meets(selector: Selector, { token, address }: Visitor): boolean {
  if ("everyone" in selector) return true;
  if ("any_valid_service_token" in selector) return token !== undefined;
  if ("service_token" in selector) {
    const wanted = (selector["service_token"] as { token_id?: unknown } | null)?.token_id;
    return token !== undefined && wanted === token.id;
  }
  if ("ip" in selector) {
    const wanted = (selector["ip"] as { ip?: unknown } | null)?.ip;
    return wanted === address || wanted === `${address}/32`;
  }
  return false;
}

function applies(policy: Policy, visitor: Visitor): boolean {
  const meant = (selector: Selector): boolean => meets(selector, visitor);
  return policy.include.some(meant) && policy.require.every(meant) && !policy.exclude.some(meant);
}

/**
 * What Access says to a request: bypass and service policies first, in their order, then the rest. A service token
 * opens `non_identity` policies only.
 */
export function judge(
  account: Account,
  application: Application | undefined,
  visitor: Visitor,
): Verdict {
  if (application === undefined) return "open";
  const policies = [...application.policies]
    .sort((a, b) => a.precedence - b.precedence)
    .flatMap(({ id }) => account.policies.get(id) ?? []);
  const first = policies.find(
    (policy) =>
      (policy.decision === "bypass" || policy.decision === "non_identity") &&
      applies(policy, visitor) &&
      (policy.decision === "bypass" || visitor.token !== undefined),
  );
  if (first !== undefined) return first.decision === "bypass" ? "open" : "pass";
  return policies.some(({ decision }) => decision === "allow") ? "login" : "denied";
}
