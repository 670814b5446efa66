import { randomUUID } from "node:crypto";
import { isMap, type Value, type ValueMap } from "../../wire";
import { checkFields, type Field, type Fields } from "../command/fields";
import { type ResourceSpec } from "../kit";
import { type Call, type Client } from "./client";
import { failing } from "./tailnetKey";

type Method = NonNullable<Call["method"]>;

interface Setting {
  readonly name: string;
  readonly fields: Readonly<Record<string, Field>>;
  readonly path: string;
  /** @default POST */
  readonly method?: Method;
  /** What the API is sent. */
  toBody(inputs: ValueMap): unknown;
  /** What is sent when the resource goes. */
  empty(inputs: ValueMap): unknown;
  /** The inputs that would make the API's answer. */
  fromBody(body: ValueMap, olds: ValueMap): ValueMap;
  readonly replaceOnChanges?: readonly string[];
}

/** A setting that every tailnet has: it is written, and written empty in the end. */
function setting(spec: Setting): ResourceSpec<Client> {
  const fields: Fields = { name: spec.name, fields: spec.fields };
  const what = `set ${spec.name}`;
  const write = (client: Client, json: unknown, signal: AbortSignal): Promise<unknown> =>
    failing(what, () =>
      client.call(client.tailnet("dns", spec.path), {
        method: spec.method ?? "POST",
        json,
        signal,
      }),
    );
  return {
    replaceOnChanges: spec.replaceOnChanges,

    check({ news }) {
      const { checked, failures } = checkFields(fields, news);
      return { inputs: checked, failures };
    },

    async create({ inputs, context: { config, signal } }) {
      await write(config, spec.toBody(inputs), signal);
      return { id: randomUUID(), outputs: inputs };
    },

    async update({ inputs, context: { config, signal } }) {
      await write(config, spec.toBody(inputs), signal);
      return inputs;
    },

    async read({ olds, context: { config: client, signal } }) {
      const body = await failing(`fetch ${spec.name}`, () =>
        client.call<ValueMap>(client.tailnet("dns", spec.path), { signal }),
      );
      const values = spec.fromBody(body, olds);
      return { outputs: { ...olds, ...values }, inputs: values };
    },

    async delete({ olds, context: { config, signal } }) {
      await write(config, spec.empty(olds), signal);
    },
  };
}

const list = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : []);

export const dnsPreferences = setting({
  name: "DnsPreferences",
  fields: { magicDns: { type: "boolean", required: true } },
  path: "preferences",
  toBody: ({ magicDns }) => ({ magicDNS: magicDns }),
  empty: () => ({ magicDNS: false }),
  fromBody: ({ magicDNS }) => ({ magicDns: magicDNS ?? false }),
});

export const dnsNameservers = setting({
  name: "DnsNameservers",
  fields: { nameservers: { type: "strings", required: true } },
  path: "nameservers",
  toBody: ({ nameservers }) => ({ dns: nameservers }),
  empty: () => ({ dns: [] }),
  fromBody: ({ dns }) => ({ nameservers: list(dns) }),
});

export const dnsSearchPaths = setting({
  name: "DnsSearchPaths",
  fields: { searchPaths: { type: "strings", required: true } },
  path: "searchpaths",
  toBody: ({ searchPaths }) => ({ searchPaths }),
  empty: () => ({ searchPaths: [] }),
  fromBody: ({ searchPaths }) => ({ searchPaths: list(searchPaths) }),
});

export const dnsSplitNameservers = setting({
  name: "DnsSplitNameservers",
  fields: {
    domain: { type: "string", required: true },
    nameservers: { type: "strings", required: true },
  },
  path: "split-dns",
  method: "PATCH",
  toBody: ({ domain, nameservers }) => ({ [String(domain)]: nameservers }),
  empty: ({ domain }) => ({ [String(domain)]: [] }),
  fromBody: (body, { domain }) => ({
    domain: domain ?? "",
    nameservers: list(body[String(domain)]),
  }),
  replaceOnChanges: ["domain"],
});

interface Resolver extends ValueMap {
  address: Value;
  useWithExitNode: Value;
}

const resolvers = (value: Value | undefined): Resolver[] =>
  list(value)
    .filter(isMap)
    .map(({ address, useWithExitNode }) => ({
      address: address ?? "",
      useWithExitNode: useWithExitNode ?? false,
    }));

export const dnsConfiguration = setting({
  name: "DnsConfiguration",
  fields: {
    magicDns: { type: "boolean" },
    nameservers: { type: "list" },
    overrideLocalDns: { type: "boolean" },
    searchPaths: { type: "strings" },
    splitDns: { type: "list" },
  },
  path: "configuration",
  toBody: (inputs) => ({
    nameservers: resolvers(inputs["nameservers"]),
    splitDNS: Object.fromEntries(
      list(inputs["splitDns"])
        .filter(isMap)
        .map(({ domain, nameservers }) => [String(domain), resolvers(nameservers)]),
    ),
    searchPaths: list(inputs["searchPaths"]),
    preferences: {
      overrideLocalDNS: inputs["overrideLocalDns"] ?? false,
      magicDNS: inputs["magicDns"] ?? true,
    },
  }),
  empty: () => ({}),
  fromBody: (body) => {
    const preferences = isMap(body["preferences"]) ? body["preferences"] : {};
    const split = isMap(body["splitDNS"]) ? body["splitDNS"] : {};
    return {
      magicDns: preferences["magicDNS"] ?? false,
      overrideLocalDns: preferences["overrideLocalDNS"] ?? false,
      nameservers: resolvers(body["nameservers"]),
      searchPaths: list(body["searchPaths"]),
      splitDns: Object.entries(split).map(([domain, servers]) => ({
        domain,
        nameservers: resolvers(servers),
      })),
    };
  },
});
