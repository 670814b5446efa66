import { randomBytes } from "node:crypto";
import { type Account } from "../account/account";
import { ADDRESS_TYPES, type DnsRecord } from "../account/records";
import { refuse } from "./errors";
import { conflict, readRecord } from "./recordRules";
import { type ApiRequest, type Route, route } from "./router";
import { findZone } from "./zones";

/** A record as the API shows it. */
function showRecord(record: DnsRecord): Record<string, unknown> {
  const { id, name, type, content, proxied, ttl, settings, comment, tags } = record;
  return {
    id,
    name,
    type,
    content,
    proxiable: ADDRESS_TYPES.includes(type),
    proxied,
    ttl,
    settings,
    meta: {},
    comment,
    tags,
    created_on: record.createdOn,
    modified_on: record.modifiedOn,
    ...(comment === null ? {} : { comment_modified_on: record.modifiedOn }),
    ...(record.priority === undefined ? {} : { priority: record.priority }),
    ...(record.data === undefined ? {} : { data: record.data }),
  };
}

/** /zones/:zone/dns_records */
export function recordRoutes(account: Account): Route[] {
  const find = (request: ApiRequest): DnsRecord => {
    const zone = findZone(account, request);
    const record = account.records.get(request.params["record"] ?? "");
    if (record?.zoneId !== zone.id) throw refuse(404, 81044, "Record does not exist.");
    return record;
  };
  const others = (own?: DnsRecord): DnsRecord[] =>
    [...account.records.values()].filter((record) => record !== own);
  /** PUT replaces the record, PATCH changes what it names. */
  const change = (request: ApiRequest, keepsRest: boolean): { result: unknown } => {
    const record = find(request);
    const body = keepsRest ? { ...showRecord(record), ...request.body } : request.body;
    const content = readRecord(body, findZone(account, request));
    const problem = conflict(content, others(record));
    if (problem !== null) throw problem;
    Object.assign(record, content, { modifiedOn: new Date().toISOString() });
    return { result: showRecord(record) };
  };

  const base = "/zones/:zone/dns_records";
  const one = `${base}/:record`;
  return [
    route("GET", base, "dns:read", (request) => {
      const zone = findZone(account, request);
      const wanted = (key: string, value: string): boolean => {
        const given = request.query.get(key) ?? request.query.get(`${key}.exact`);
        return given === null || given.toLowerCase() === value.toLowerCase();
      };
      const list = [...account.records.values()].filter(
        ({ zoneId, name, type, content, proxied }) =>
          zoneId === zone.id &&
          wanted("name", name) &&
          wanted("type", type) &&
          wanted("content", content) &&
          wanted("proxied", String(proxied)),
      );
      return { list: list.map(showRecord), perPage: 100 };
    }),

    route("POST", base, "dns:edit", (request) => {
      const zone = findZone(account, request);
      const content = readRecord(request.body, zone);
      const problem = conflict(content, others());
      if (problem !== null) throw problem;
      if (account.records.size >= account.limits.records) {
        throw refuse(400, 81045, "The record quota has been exceeded.");
      }
      const now = new Date().toISOString();
      const id = randomBytes(16).toString("hex");
      const record = { ...content, id, zoneId: zone.id, createdOn: now, modifiedOn: now };
      account.records.set(id, record);
      return { result: showRecord(record) };
    }),

    route("GET", one, "dns:read", (request) => ({ result: showRecord(find(request)) })),
    route("PUT", one, "dns:edit", (request) => change(request, false)),
    route("PATCH", one, "dns:edit", (request) => change(request, true)),

    route("DELETE", one, "dns:edit", (request) => {
      const { id } = find(request);
      account.records.delete(id);
      return { result: { id } };
    }),
  ];
}
