import { equalValues, type Value, type ValueMap } from "../../wire";
import { type ResourceSpec } from "../kit";
import { type Client } from "./client";
import { fromApi, toApi } from "./naming";
import { accountOwner, eitherOwner, oneOf, ownerPath, resource, without } from "./resource";

/** Without the owner, which is in the path. */
function content(inputs: ValueMap): ValueMap {
  return toApi(without(inputs, ["accountId", "zoneId"]));
}

/** ZeroTrustAccessPolicy: a reusable policy of the account. */
export const accessPolicy: ResourceSpec<Client> = resource({
  required: ["accountId", "decision", "name"],
  optional: [
    "approvalGroups",
    "approvalRequired",
    "connectionRules",
    "excludes",
    "includes",
    "isolationRequired",
    "mfaConfig",
    "purposeJustificationPrompt",
    "purposeJustificationRequired",
    "requires",
    "sessionDuration",
  ],
  problems: (inputs) => oneOf(inputs, "decision", ["allow", "deny", "non_identity", "bypass"]),
  computed: { appCount: "update", createdAt: "create", reusable: "create", updatedAt: "update" },
  filledIn: ["sessionDuration", "includes", "excludes", "requires"],
  replaceOnChanges: ["accountId"],
  collection: (inputs) => `accounts/${String(inputs["accountId"])}/access/policies`,
  body: content,
  show: fromApi,
  owner: accountOwner,
  importForm: "<account_id>/<policy_id>",
  async findOwn(client, inputs, signal) {
    const wanted = toApi({ includes: inputs["includes"] ?? [] })["include"] as Value;
    const all = await client.list(`${ownerPath(inputs)}/access/policies`, signal);
    return all.find(
      (policy) =>
        policy["name"] === inputs["name"] &&
        policy["decision"] === inputs["decision"] &&
        policy["app_count"] === 0 &&
        equalValues(policy["include"] as Value, wanted),
    );
  },
});

/** ZeroTrustAccessApplication. */
export const accessApplication: ResourceSpec<Client> = resource({
  required: [],
  optional: [
    "accountId",
    "allowAuthenticateViaWarp",
    "allowIframe",
    "allowedIdps",
    "appLauncherLogoUrl",
    "appLauncherVisible",
    "autoRedirectToIdentity",
    "bgColor",
    "corsHeaders",
    "customDenyMessage",
    "customDenyUrl",
    "customNonIdentityDenyUrl",
    "customPages",
    "destinations",
    "domain",
    "enableBindingCookie",
    "footerLinks",
    "headerBgColor",
    "httpOnlyCookieAttribute",
    "landingPageDesign",
    "logoUrl",
    "mfaConfig",
    "name",
    "oauthConfiguration",
    "optionsPreflightBypass",
    "pathCookieAttribute",
    "policies",
    "readServiceTokensFromHeader",
    "saasApp",
    "sameSiteCookieAttribute",
    "scimConfig",
    "selfHostedDomains",
    "serviceAuth401Redirect",
    "sessionDuration",
    "skipAppLauncherLoginPage",
    "skipInterstitial",
    "tags",
    "targetCriterias",
    "type",
    "zoneId",
  ],
  computed: { aud: "create" },
  filledIn: [
    "appLauncherVisible",
    "destinations",
    "domain",
    "httpOnlyCookieAttribute",
    "selfHostedDomains",
    "sessionDuration",
    "type",
  ],
  replaceOnChanges: ["accountId", "zoneId"],
  collection: (inputs) => `${ownerPath(inputs)}/access/apps`,
  body: content,
  show(result) {
    const policies = (result["policies"] ?? []) as { id: string; precedence: number }[];
    const shown = fromApi(result);
    return { ...shown, policies: policies.map(({ id, precedence }) => ({ id, precedence })) };
  },
  owner: eitherOwner,
  importForm: "<{accounts|zones}/{account_id|zone_id}>/<app_id>",
  async findOwn(client, inputs, signal) {
    const wanted = toApi({ destinations: inputs["destinations"] ?? [] })["destinations"] as Value;
    const all = await client.list(`${ownerPath(inputs)}/access/apps`, signal);
    return all.find(
      (app) => app["name"] === inputs["name"] && equalValues(app["destinations"] as Value, wanted),
    );
  },
});

/** ZeroTrustAccessServiceToken. The secret is shown when it is made and kept from then on. */
export const accessServiceToken: ResourceSpec<Client> = resource({
  required: ["name"],
  optional: [
    "accountId",
    "clientSecretVersion",
    "duration",
    "enabled",
    "previousClientSecretExpiresAt",
    "zoneId",
  ],
  defaults: { clientSecretVersion: 1, duration: "8760h" },
  computed: { clientId: "create", clientSecret: "update", expiresAt: "update" },
  replaceOnChanges: ["accountId", "zoneId"],
  secretOutputs: ["clientSecret"],
  collection: (inputs) => `${ownerPath(inputs)}/access/service_tokens`,
  body: (inputs) => content({ clientSecretVersion: 1, duration: "8760h", ...inputs }),
  show: fromApi,
  owner: eitherOwner,
  importForm: "<{accounts|zones}/{account_id|zone_id}>/<service_token_id>",
  async findOwn(client, inputs, signal) {
    const owner = ownerPath(inputs);
    const tokens = await client.list(`${owner}/access/service_tokens`, signal);
    const named = tokens.filter((token) => token["name"] === inputs["name"]);
    const [token] = named;
    if (token === undefined || named.length > 1 || token["last_seen_at"] !== null) return undefined;
    const policies = await client.list(`${owner}/access/policies`, signal);
    if (JSON.stringify(policies).includes(String(token["id"]))) return undefined;
    // Its secret was lost with the run that made it; nobody has ever used it, so it may have another.
    const path = `${owner}/access/service_tokens/${String(token["id"])}/rotate`;
    return client.call("POST", path, signal);
  },
});
