import { isIPv4, isIPv6 } from "node:net";
import { type Zone } from "../account/account";
import { ADDRESS_TYPES, type DnsRecord, fullName } from "../account/records";
import { type ApiError, refuse } from "./errors";

/** What a record says, whoever made it and when. */
export type RecordContent = Omit<DnsRecord, "createdOn" | "id" | "modifiedOn" | "zoneId">;

const SEE =
  "For more details, refer to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>.";

const HOST_NAME = /^(?=.{1,253}$)(\*\.|@$)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.|$))*$/;

/** Reads a record from a request. @throws ApiError in the API's own words and numbers */
export function readRecord(body: Readonly<Record<string, unknown>>, zone: Zone): RecordContent {
  const type = typeof body["type"] === "string" ? body["type"].toUpperCase() : "";
  if (type === "") throw refuse(400, 1004, "DNS Validation Error");
  const given = typeof body["name"] === "string" ? body["name"] : "";
  const name = fullName(given, zone);
  if (given === "" || !HOST_NAME.test(name)) throw refuse(400, 9000, "DNS name is invalid.");
  const content = typeof body["content"] === "string" ? body["content"].trim() : "";
  checkContent(type, content);
  const proxied = body["proxied"] === true;
  if (proxied && !ADDRESS_TYPES.includes(type)) {
    throw refuse(400, 9004, "This record type cannot be proxied.");
  }
  return {
    name,
    type,
    content: type === "CNAME" ? content.toLowerCase().replace(/\.$/, "") : content,
    proxied,
    ttl: readTtl(body["ttl"], proxied),
    comment: typeof body["comment"] === "string" ? body["comment"] : null,
    tags: Array.isArray(body["tags"]) ? body["tags"].map(String) : [],
    settings:
      typeof body["settings"] === "object" && body["settings"] !== null
        ? { ...body["settings"] }
        : {},
    ...(typeof body["priority"] === "number" ? { priority: body["priority"] } : {}),
    ...(body["data"] === undefined || body["data"] === null ? {} : { data: body["data"] }),
  };
}

/** A proxied record's time to live is Cloudflare's own business, whatever was asked for. */
function readTtl(value: unknown, proxied: boolean): number {
  const ttl = value === undefined || value === null ? 1 : Number(value);
  if (ttl !== 1 && !(Number.isInteger(ttl) && ttl >= 60 && ttl <= 86_400)) {
    const message = "TTL must be between 60 and 86400 seconds, or 1 for Automatic.";
    throw refuse(400, 9021, message);
  }
  return proxied ? 1 : ttl;
}

function checkContent(type: string, content: string): void {
  if (type === "A" && !isIPv4(content)) {
    throw refuse(400, 9005, "Content for A record must be a valid IPv4 address.");
  }
  if (type === "AAAA" && !isIPv6(content)) {
    throw refuse(400, 9006, "Content for AAAA record must be a valid IPv6 address.");
  }
  if (type === "CNAME" && !HOST_NAME.test(content.toLowerCase())) {
    throw refuse(400, 9007, "Content for CNAME record is invalid.");
  }
  if (content === "" && ["TXT", "MX", "NS"].includes(type)) {
    throw refuse(400, 9009, `Content for ${type} record is invalid.`);
  }
}

/** Why a record cannot stand beside those that are there; null when it can. */
export function conflict(record: RecordContent, others: readonly RecordContent[]): ApiError | null {
  const same = others.filter(({ name }) => name === record.name);
  const isIdentical = same.some(
    ({ type, content }) => type === record.type && content === record.content,
  );
  if (isIdentical) return refuse(400, 81058, "An identical record already exists.");
  if (!ADDRESS_TYPES.includes(record.type)) return null;
  if (record.type === "CNAME" && same.some(({ type }) => ADDRESS_TYPES.includes(type))) {
    const message = `An A, AAAA, or CNAME record with that host already exists. ${SEE}`;
    return refuse(400, 81053, message);
  }
  if (same.some(({ type }) => type === "CNAME")) {
    return refuse(400, 81054, `A CNAME record with that host already exists. ${SEE}`);
  }
  return null;
}
