import { type Account, type Zone } from "../account/account";
import { refuse } from "./errors";
import { type ApiRequest, type Route, route } from "./router";

/** The zone of a request. @throws ApiError for one that is not this account's */
export function findZone(account: Account, { params }: ApiRequest): Zone {
  const zone = account.zones.find(({ id }) => id === params["zone"]);
  if (zone !== undefined) return zone;
  throw refuse(403, 9109, "Unauthorized to access requested resource");
}

/** /zones */
export function zoneRoutes(account: Account): Route[] {
  const show = (zone: Zone): Record<string, unknown> => ({
    id: zone.id,
    name: zone.name,
    status: "active",
    paused: false,
    type: "full",
    development_mode: 0,
    name_servers: ["ns1.lab.example", "ns2.lab.example"],
    original_name_servers: [],
    original_registrar: null,
    original_dnshost: null,
    created_on: zone.createdOn,
    modified_on: zone.createdOn,
    activated_on: zone.createdOn,
    account: { id: account.id, name: "lab" },
    owner: { id: null, type: "user", email: null },
    meta: { step: 4, custom_certificate_quota: 0, page_rule_quota: 3, phishing_detected: false },
    plan: { id: "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", name: "Free Website", legacy_id: "free" },
    permissions: [],
  });
  return [
    route("GET", "/zones", "zone:read", ({ query }) => {
      const wanted = { name: query.get("name"), account: query.get("account.id") };
      const status = query.get("status");
      const list = account.zones
        .filter(({ name }) => (wanted.name ?? name) === name)
        .filter(() => (wanted.account ?? account.id) === account.id)
        .filter(() => (status ?? "active") === "active");
      return { list: list.map(show), perPage: 20 };
    }),
    route("GET", "/zones/:zone", "zone:read", (request) => ({
      result: show(findZone(account, request)),
    })),
  ];
}
