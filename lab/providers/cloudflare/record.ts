import { isUnknown } from "../../wire";
import { type ResourceSpec } from "../kit";
import { type Client } from "./client";
import { fromApi, toApi } from "./naming";
import { resource, without } from "./resource";

const base = (inputs: Readonly<Record<string, unknown>>): string =>
  `zones/${String(inputs["zoneId"])}/dns_records`;

const rest: ResourceSpec<Client> = resource({
  required: ["zoneId", "name", "type", "ttl"],
  optional: [
    "comment",
    "content",
    "data",
    "includeShadowMetadata",
    "priority",
    "privateRouting",
    "proxied",
    "settings",
    "tags",
  ],
  defaults: { proxied: false },
  computed: {
    commentModifiedOn: "update",
    createdOn: "create",
    meta: "update",
    modifiedOn: "update",
    proxiable: "update",
    tagsModifiedOn: "update",
  },
  filledIn: ["content", "settings", "tags"],
  replaceOnChanges: ["zoneId", "type"],
  collection: base,
  body: (inputs) => toApi({ proxied: false, ...without(inputs, ["zoneId"]) }),
  show(result) {
    const { meta, ...others } = result;
    return { ...fromApi(others), meta: JSON.stringify(meta ?? {}) };
  },
  owner: (parts) => (parts.length === 1 ? { zoneId: parts[0] ?? "" } : undefined),
  importForm: "<zone_id>/<dns_record_id>",
  async findOwn(client, inputs, signal) {
    const query = new URLSearchParams({
      name: String(inputs["name"]),
      type: String(inputs["type"]),
    });
    const found = await client.list(`${base(inputs)}?${query}`, signal);
    // The same in every respect that was asked for: had it been there before, the creation would have failed.
    return found.find(
      (record) =>
        record["content"] === inputs["content"] &&
        (record["comment"] ?? undefined) === inputs["comment"] &&
        record["proxied"] === (inputs["proxied"] ?? false),
    );
  },
});

/** DnsRecord. */
export const dnsRecord: ResourceSpec<Client> = {
  ...rest,
  async create(request) {
    const { proxied, ttl } = request.inputs;
    // The official provider looks at it here and not in a preview.
    if (proxied === true && ttl !== undefined && !isUnknown(ttl) && ttl !== 1) {
      throw new Error(
        "ttl must be set to 1 when `proxied` is true: When a DNS record is marked as `proxied` " +
          "the TTL must be 1 as Cloudflare will control the TTL internally.",
      );
    }
    return rest.create(request);
  },
};
