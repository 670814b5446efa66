import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isMap, type Value, type ValueMap } from "../../wire";
import { InvalidArguments, type InvokeSpec } from "../kit";
import { readPolicy } from "./acl";
import { type Client } from "./client";
import { minimizeHujson } from "./hujson";
import { failing } from "./tailnetKey";

/** Output → what the API calls it, where that differs only in case or not at all. */
const DEVICE_FIELDS: Readonly<Record<string, Value>> = {
  addresses: [],
  authorized: false,
  blocksIncomingConnections: false,
  clientVersion: "",
  created: "",
  expires: "",
  hostname: "",
  id: "",
  isExternal: false,
  keyExpiryDisabled: false,
  lastSeen: "",
  machineKey: "",
  name: "",
  nodeId: "",
  nodeKey: "",
  os: "",
  tags: [],
  tailnetLockError: "",
  tailnetLockKey: "",
  updateAvailable: false,
  user: "",
};

function deviceOf(found: ValueMap): ValueMap {
  const value = (name: string, fallback: Value): Value => found[name] ?? fallback;
  return Object.fromEntries(
    Object.entries(DEVICE_FIELDS).map(([name, fallback]) => [name, value(name, fallback)]),
  );
}

async function list(
  client: Client,
  filters: URLSearchParams,
  signal: AbortSignal,
): Promise<ValueMap[]> {
  const path = `${client.tailnet("devices")}?${filters.toString()}`;
  const { devices } = await client.call<{ devices?: ValueMap[] }>(path, { signal });
  return devices ?? [];
}

/** `90s`, `1m30s`, `1.5h` as milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return undefined;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}

/** One device, by `name` or `hostname`; the API filters, and its first answer is taken. */
export const getDevice: InvokeSpec<Client> = {
  async call({ args, context: { config: client, signal } }) {
    const given = ["name", "hostname"].filter((key) => typeof args[key] === "string");
    const [by] = given;
    if (by === undefined || given.length > 1) {
      const reason = "give exactly one of `name` and `hostname`";
      throw new InvalidArguments([{ property: "name", reason }]);
    }
    const wait = typeof args["waitFor"] === "string" ? parseDuration(args["waitFor"]) : 0;
    if (wait === undefined || (wait !== 0 && wait <= 1_000)) {
      const reason = "must be a duration greater than 1s, such as 60s";
      throw new InvalidArguments([{ property: "waitFor", reason }]);
    }
    const filters = new URLSearchParams({ [by]: String(args[by]), fields: "all" });
    const end = performance.now() + wait;
    for (;;) {
      const [found] = await failing("fetch devices", () => list(client, filters, signal));
      if (found) return { ...args, ...deviceOf(found) };
      if (performance.now() >= end) {
        throw new Error(
          `Failed to fetch devices: could not find device with ${by}="${String(args[by])}"`,
        );
      }
      await sleep(1_000, undefined, { signal });
    }
  },
};

/** All devices, or those that the filters and the prefix leave. */
export const getDevices: InvokeSpec<Client> = {
  async call({ args, context: { config: client, signal } }) {
    const filters = new URLSearchParams({ fields: "all" });
    for (const filter of Array.isArray(args["filters"]) ? args["filters"].filter(isMap) : []) {
      const values = Array.isArray(filter["values"]) ? filter["values"] : [];
      values.forEach((value) => filters.append(String(filter["name"]), String(value)));
    }
    const prefix = typeof args["namePrefix"] === "string" ? args["namePrefix"] : "";
    const found = await failing("fetch devices", () => list(client, filters, signal));
    const devices = found.map(deviceOf).filter(({ name }) => String(name).startsWith(prefix));
    return { ...args, id: randomUUID(), devices };
  },
};

/** The policy, as it is written and as JSON. */
export const getAcl: InvokeSpec<Client> = {
  async call({ context: { config: client, signal } }) {
    const hujson = await failing("fetch ACL", () => readPolicy(client, signal));
    return { id: randomUUID(), hujson, json: minimizeHujson(hujson) };
  },
};
