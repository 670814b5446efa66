import { isMap, type Value, type ValueMap } from "../../wire";

/** Names that differ in more than camelCase: the SDK's → the API's. */
const API_NAMES: Readonly<Record<string, string>> = {
  // Lists are plural in the SDK (its Terraform bridge makes them so).
  includes: "include",
  excludes: "exclude",
  requires: "require",
  targetCriterias: "target_criteria",
  azureAd: "azureAD",
  githubOrganization: "github-organization",
  serviceAuth401Redirect: "service_auth_401_redirect",
  ipv4Only: "ipv4_only",
  ipv6Only: "ipv6_only",
};

/** The document of a tunnel's configuration is in camelCase at the API as well, with exceptions. */
const CONFIG_NAMES: Readonly<Record<string, string>> = {
  ingresses: "ingress",
  audTags: "audTag",
  matchSnItoHost: "matchSNItoHost",
  noTlsVerify: "noTLSVerify",
};

const SDK_NAMES = Object.fromEntries(Object.entries(API_NAMES).map(([sdk, api]) => [api, sdk]));
const SDK_CONFIG_NAMES = Object.fromEntries(
  Object.entries(CONFIG_NAMES).map(([sdk, api]) => [api, sdk]),
);

type Rename = (name: string) => string;

const toSnake: Rename = (name) =>
  API_NAMES[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const toCamel: Rename = (name) =>
  SDK_NAMES[name] ?? name.replace(/[_-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Renames every key; null and absent mean the same, so nulls are left out. */
function renamed(value: Value, rename: Rename): Value {
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [rename(key), renamed(item, rename)]),
  );
}

/** Properties as the API spells them. */
export function toApi(values: ValueMap): ValueMap {
  return renamed(values, toSnake) as ValueMap;
}

/** An API object as the SDK spells it. */
export function fromApi(values: Readonly<Record<string, unknown>>): ValueMap {
  return renamed(values as ValueMap, toCamel) as ValueMap;
}

export function configToApi(value: Value): Value {
  return renamed(value, (name) => CONFIG_NAMES[name] ?? name);
}

export function configFromApi(value: Value): Value {
  return renamed(value, (name) => SDK_CONFIG_NAMES[name] ?? name);
}
