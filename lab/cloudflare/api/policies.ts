import { randomUUID } from "node:crypto";
import { type Policy, type Selector } from "../account/access";
import { type Account } from "../account/account";
import { refuse } from "./errors";
import { duration, text } from "./fields";
import { type ApiRequest, type Route, route } from "./router";

const DECISIONS = ["allow", "deny", "non_identity", "bypass"];

/** Fields that the lab keeps and shows, and that decide nothing here. */
const KEPT = [
  "approval_groups",
  "approval_required",
  "isolation_required",
  "purpose_justification_prompt",
  "purpose_justification_required",
];

export function showPolicy(account: Account, policy: Policy): Record<string, unknown> {
  const uses = [...account.applications.values()].filter(({ policies }) =>
    policies.some(({ id }) => id === policy.id),
  );
  return {
    id: policy.id,
    name: policy.name,
    decision: policy.decision,
    include: policy.include,
    exclude: policy.exclude,
    require: policy.require,
    session_duration: policy.sessionDuration,
    ...policy.rest,
    reusable: true,
    app_count: uses.length,
    created_at: policy.createdAt,
    updated_at: policy.updatedAt,
  };
}

type PolicyContent = Omit<Policy, "createdAt" | "id" | "updatedAt">;

function readPolicy(body: ApiRequest["body"]): PolicyContent {
  const selectors = (key: string): Selector[] =>
    Array.isArray(body[key]) ? (body[key] as Selector[]) : [];
  const decision = text(body, "decision");
  if (!DECISIONS.includes(decision)) {
    const message = "access.api.error.invalid_request: unrecognized policy decision";
    throw refuse(400, 12130, message);
  }
  const include = selectors("include");
  if (include.length === 0) {
    const message = "access.api.error.invalid_request: include must have at least one rule";
    throw refuse(400, 12130, message);
  }
  const sessionDuration =
    typeof body["session_duration"] === "string" ? body["session_duration"] : "24h";
  duration(sessionDuration, "session_duration");
  return {
    name: text(body, "name"),
    decision,
    include,
    exclude: selectors("exclude"),
    require: selectors("require"),
    sessionDuration,
    rest: Object.fromEntries(KEPT.filter((key) => key in body).map((key) => [key, body[key]])),
  };
}

/** /accounts/:account/access/policies */
export function policyRoutes(account: Account): Route[] {
  const find = ({ params }: ApiRequest): Policy => {
    const policy = account.policies.get(params["policy"] ?? "");
    if (policy === undefined) throw refuse(404, 11022, "access.api.error.policy_not_found");
    return policy;
  };
  const base = "/accounts/:account/access/policies";
  const one = `${base}/:policy`;
  return [
    route("GET", base, "access:read", () => ({
      list: [...account.policies.values()].map((policy) => showPolicy(account, policy)),
      perPage: 25,
    })),

    route("POST", base, "access:edit", ({ body }) => {
      const content = readPolicy(body);
      if (account.policies.size >= account.limits.policies) {
        throw refuse(400, 12130, "access.api.error.invalid_request: too many reusable policies");
      }
      const now = new Date().toISOString();
      const policy = { ...content, id: randomUUID(), createdAt: now, updatedAt: now };
      account.policies.set(policy.id, policy);
      return { result: showPolicy(account, policy) };
    }),

    route("GET", one, "access:read", (request) => ({ result: showPolicy(account, find(request)) })),

    route("PUT", one, "access:edit", (request) => {
      const policy = find(request);
      Object.assign(policy, readPolicy(request.body), { updatedAt: new Date().toISOString() });
      return { result: showPolicy(account, policy) };
    }),

    route("DELETE", one, "access:edit", (request) => {
      const { id } = find(request);
      const apps = [...account.applications.values()];
      if (apps.some(({ policies }) => policies.some((reference) => reference.id === id))) {
        const message = "access.api.error.invalid_request: policy is in use by an application";
        throw refuse(400, 12130, message);
      }
      account.policies.delete(id);
      return { result: { id } };
    }),
  ];
}
