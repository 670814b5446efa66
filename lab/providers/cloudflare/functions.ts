import { isMap, type ValueMap } from "../../wire";
import { InvalidArguments, type InvokeSpec } from "../kit";
import { type Client, type Json } from "./client";
import { fromApi } from "./naming";

/** A zone as the SDK shows it. */
function showZone(zone: Json): ValueMap {
  const shown = fromApi(zone);
  return { ...shown, zoneId: shown["id"] ?? "" };
}

function zoneQuery(args: ValueMap): string {
  const query = new URLSearchParams();
  for (const key of ["name", "status", "match", "order", "direction"]) {
    const value = args[key];
    if (typeof value === "string") query.set(key, value);
  }
  const account = args["account"];
  if (isMap(account)) {
    for (const key of ["id", "name"]) {
      const value = account[key];
      if (typeof value === "string") query.set(`account.${key}`, value);
    }
  }
  return query.size === 0 ? "zones" : `zones?${query}`;
}

/** getZone: by its id, or the only one that a filter leaves. */
export const getZone: InvokeSpec<Client> = {
  async call({ args, context: { config, signal } }) {
    const { filter } = args;
    let zoneId = typeof args["zoneId"] === "string" ? args["zoneId"] : "";
    if (isMap(filter)) {
      const found = await config.list(zoneQuery(filter), signal);
      if (found.length !== 1) {
        throw new Error(`failed to find exactly one result: ${found.length} found`);
      }
      zoneId = String(found[0]?.["id"]);
    }
    if (zoneId === "") {
      throw new Error("Invalid zone configuration: empty or null zone ID");
    }
    const zone = await config.call("GET", `zones/${zoneId}`, signal);
    return { ...showZone(zone), ...(isMap(filter) ? { filter } : {}) };
  },
};

/** getZones */
export const getZones: InvokeSpec<Client> = {
  async call({ args, context: { config, signal } }) {
    const most = typeof args["maxItems"] === "number" ? args["maxItems"] : 1000;
    const found = await config.list(zoneQuery(args), signal);
    return { ...args, id: "zones", results: found.slice(0, most).map(fromApi) };
  },
};

/** getZeroTrustTunnelCloudflaredToken. The official SDK does not mark the token secret, and nor is it here. */
export const getTunnelToken: InvokeSpec<Client> = {
  async call({ args, context: { config, signal } }) {
    const failures = ["accountId", "tunnelId"]
      .filter((key) => typeof args[key] !== "string")
      .map((property) => ({ property, reason: "Missing required property" }));
    if (failures.length > 0) throw new InvalidArguments(failures);
    const path = `accounts/${String(args["accountId"])}/cfd_tunnel/${String(args["tunnelId"])}/token`;
    const token = (await config.call("GET", path, signal)) as unknown as string;
    return { ...args, id: String(args["tunnelId"]), token };
  },
};
