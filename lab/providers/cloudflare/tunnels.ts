import { type ResourceSpec } from "../kit";
import { type Client } from "./client";
import { configFromApi, configToApi, fromApi, toApi } from "./naming";
import { accountOwner, oneOf, resource } from "./resource";

const base = (inputs: Readonly<Record<string, unknown>>): string =>
  `accounts/${String(inputs["accountId"])}/cfd_tunnel`;

/** ZeroTrustTunnelCloudflared. Its secret is sent when it changes; the API never shows it. */
export const tunnel: ResourceSpec<Client> = resource({
  required: ["accountId", "name"],
  optional: ["configSrc", "tunnelSecret"],
  problems: (inputs) => oneOf(inputs, "configSrc", ["local", "cloudflare"]),
  defaults: { configSrc: "local" },
  computed: {
    accountTag: "create",
    connections: "update",
    connsActiveAt: "update",
    connsInactiveAt: "update",
    createdAt: "create",
    deletedAt: "update",
    metadata: "update",
    remoteConfig: "update",
    status: "update",
    tunType: "create",
  },
  replaceOnChanges: ["accountId", "configSrc"],
  secretInputs: ["tunnelSecret"],
  collection: base,
  change: "PATCH",
  body(inputs, olds) {
    const { name, configSrc, tunnelSecret } = inputs;
    if (olds === undefined) {
      return toApi({ name: name!, configSrc: configSrc ?? "local", tunnelSecret: tunnelSecret! });
    }
    // Only what differs; a secret that is sent again would cut the connectors that run.
    return {
      ...(name === olds["name"] ? {} : { name }),
      ...(tunnelSecret === undefined || tunnelSecret === olds["tunnelSecret"]
        ? {}
        : { tunnel_secret: tunnelSecret }),
    };
  },
  show(result) {
    const shown = fromApi(result);
    // The official provider keeps what the state says of it (resource.go, Read), so an import does not know it.
    delete shown["configSrc"];
    return { ...shown, metadata: JSON.stringify(result["metadata"] ?? {}) };
  },
  owner: accountOwner,
  importForm: "<account_id>/<tunnel_id>",
  async findOwn(client, inputs, signal) {
    const name = encodeURIComponent(String(inputs["name"]));
    const [found] = await client.list(`${base(inputs)}?name=${name}&is_deleted=false`, signal);
    if (found === undefined || inputs["tunnelSecret"] === undefined) return undefined;
    // The secret proves that it is the one that was being made, and nobody else's of that name.
    const path = `${base(inputs)}/${String(found["id"])}/token`;
    const token = String(await client.call("GET", path, signal));
    const { s } = JSON.parse(Buffer.from(token, "base64").toString()) as { s?: unknown };
    return s === inputs["tunnelSecret"] ? found : undefined;
  },
});

/** ZeroTrustTunnelCloudflaredConfig: the whole document of one tunnel, put as often as it changes, never deleted. */
export const tunnelConfig: ResourceSpec<Client> = resource({
  required: ["accountId", "tunnelId"],
  optional: ["config", "source"],
  problems: (inputs) => oneOf(inputs, "source", ["local", "cloudflare"]),
  computed: { createdAt: "update", version: "update" },
  filledIn: ["config", "source"],
  replaceOnChanges: ["accountId", "tunnelId"],
  collection: base,
  one: (inputs, id) => {
    const tunnelId = inputs["tunnelId"] === undefined ? id : String(inputs["tunnelId"]);
    return `${base(inputs)}/${tunnelId}/configurations`;
  },
  create: "PUT",
  body: ({ config, source }) => ({
    ...(config === undefined ? {} : { config: configToApi(config) }),
    ...(source === undefined ? {} : { source }),
  }),
  show({ config, ...rest }) {
    const shown = config === null || config === undefined ? {} : { config: config as object };
    return { ...fromApi(rest), ...(configFromApi(shown as never) as object) };
  },
  delete: "nothing",
  warning: {
    create:
      "Resource Destruction Considerations: This resource cannot be destroyed from Terraform. " +
      "If you create this resource, it will be present in the API until manually deleted.",
    delete:
      "Resource Destruction Considerations: Applying this resource destruction will remove the resource " +
      "from the Terraform state but will not change it in the API.",
  },
  owner: accountOwner,
  importForm: "<account_id>/<tunnel_id>",
});
