import { randomBytes, randomUUID } from "node:crypto";
import { type Application, domainsOf, type PolicyReference } from "../account/access";
import { type Account } from "../account/account";
import { refuse } from "./errors";
import { showPolicy } from "./policies";
import { type ApiRequest, type Route, route } from "./router";

const invalid = (why: string): ReturnType<typeof refuse> =>
  refuse(400, 12130, `access.api.error.invalid_request: ${why}`);

/** What an application has when nobody said so. */
const DEFAULTS = {
  app_launcher_visible: true,
  auto_redirect_to_identity: false,
  enable_binding_cookie: false,
  http_only_cookie_attribute: true,
  options_preflight_bypass: false,
  session_duration: "24h",
};

function readFields(account: Account, body: ApiRequest["body"]): Record<string, unknown> {
  const given = { ...body };
  delete given["policies"];
  const fields: Record<string, unknown> = { ...DEFAULTS, ...given };
  if (fields["type"] !== "self_hosted") throw invalid("the lab has self_hosted applications only");
  const domains = domainsOf({ fields });
  if (domains.length === 0) throw invalid("a self_hosted application must have a domain");
  if (domains.length > account.limits.domainsPerApplication) {
    const most = account.limits.domainsPerApplication;
    throw invalid(`an application can have at most ${most} domains`);
  }
  const stranger = domains.find((domain) => {
    const host = (domain.split("/")[0] ?? "").replace(/^\*\.?/, "");
    return account.zoneOf(host) === undefined;
  });
  if (stranger !== undefined) {
    throw refuse(400, 12130, `access.api.error.invalid_request: domain does not belong to zone`);
  }
  fields["domain"] = domains[0];
  fields["self_hosted_domains"] = domains;
  fields["destinations"] ??= domains.map((uri) => ({ type: "public", uri }));
  return fields;
}

function readPolicies(account: Account, body: ApiRequest["body"]): PolicyReference[] {
  const given = Array.isArray(body["policies"]) ? body["policies"] : [];
  return given.map((entry: unknown, index) => {
    const { id, precedence } =
      typeof entry === "string"
        ? { id: entry, precedence: undefined }
        : (entry as { id?: unknown; precedence?: unknown });
    if (typeof id !== "string") throw invalid("the lab knows policies by their id only");
    if (!account.policies.has(id)) throw refuse(404, 11022, "access.api.error.policy_not_found");
    return { id, precedence: typeof precedence === "number" ? precedence : index + 1 };
  });
}

/** /accounts/:account/access/apps */
export function applicationRoutes(account: Account): Route[] {
  const show = (application: Application): Record<string, unknown> => ({
    id: application.id,
    uid: application.id,
    aud: application.aud,
    ...application.fields,
    policies: [...application.policies]
      .sort((a, b) => a.precedence - b.precedence)
      .flatMap(({ id, precedence }) => {
        const policy = account.policies.get(id);
        return policy === undefined ? [] : [{ ...showPolicy(account, policy), precedence }];
      }),
    created_at: application.createdAt,
    updated_at: application.updatedAt,
  });
  const find = ({ params }: ApiRequest): Application => {
    const application = account.applications.get(params["app"] ?? "");
    if (application === undefined) {
      throw refuse(404, 11021, "access.api.error.unknown_application");
    }
    return application;
  };
  /** Two applications cannot protect the same thing. */
  const assertFree = (fields: Record<string, unknown>, own?: Application): void => {
    const domains = domainsOf({ fields });
    const taken = [...account.applications.values()]
      .filter((application) => application !== own)
      .flatMap(domainsOf);
    if (!domains.some((domain) => taken.includes(domain))) return;
    throw refuse(409, 11010, "access.api.error.application_already_exists");
  };
  const base = "/accounts/:account/access/apps";
  const one = `${base}/:app`;
  return [
    route("GET", base, "access:read", ({ query }) => {
      const name = query.get("name");
      const list = [...account.applications.values()]
        .filter(({ fields }) => name === null || fields["name"] === name)
        .filter((application) => {
          const domain = query.get("domain");
          return domain === null || domainsOf(application).includes(domain);
        });
      return { list: list.map(show), perPage: 25 };
    }),

    route("POST", base, "access:edit", ({ body }) => {
      const fields = readFields(account, body);
      const policies = readPolicies(account, body);
      assertFree(fields);
      if (account.applications.size >= account.limits.applications) {
        throw invalid("the account has as many applications as it can have");
      }
      const now = new Date().toISOString();
      const application: Application = {
        id: randomUUID(),
        aud: randomBytes(32).toString("hex"),
        fields,
        policies,
        createdAt: now,
        updatedAt: now,
      };
      account.applications.set(application.id, application);
      return { result: show(application) };
    }),

    route("GET", one, "access:read", (request) => ({ result: show(find(request)) })),

    route("PUT", one, "access:edit", (request) => {
      const application = find(request);
      const fields = readFields(account, request.body);
      const policies = readPolicies(account, request.body);
      assertFree(fields, application);
      Object.assign(application, { fields, policies, updatedAt: new Date().toISOString() });
      return { result: show(application) };
    }),

    route("DELETE", one, "access:edit", (request) => {
      const { id } = find(request);
      account.applications.delete(id);
      return { result: { id } };
    }),
  ];
}
