import { equalValues, isUnknown, type Value, type ValueMap } from "../../wire";
import { checkFields, type Fields } from "../command/fields";
import { type ChangeKind, type ResourceSpec } from "../kit";
import { ApiError, type Client } from "./client";

const fields: Fields = {
  name: "TailnetKey",
  fields: {
    reusable: { type: "boolean" },
    ephemeral: { type: "boolean" },
    preauthorized: { type: "boolean" },
    tags: { type: "strings" },
    expiry: { type: "number" },
    description: { type: "string" },
    recreateIfInvalid: { type: { oneOf: ["", "always", "never"] } },
    userId: { type: "string" },
  },
};

/** What a key is if the program says nothing. */
const DEFAULTS: ValueMap = {
  reusable: false,
  ephemeral: false,
  preauthorized: false,
  tags: [],
  description: "",
};

/** What cannot be changed once the key is there; `expiry` only counts when the program gives one. */
const REPLACING = [...Object.keys(DEFAULTS), "expiry"];

interface ApiKey {
  readonly id: string;
  readonly keyType: string;
  readonly key?: string;
  readonly description: string;
  readonly expirySeconds?: number;
  readonly created: string;
  readonly expires: string;
  readonly invalid?: boolean;
  readonly userId?: string;
  readonly capabilities: {
    readonly devices: {
      readonly create: {
        readonly reusable: boolean;
        readonly ephemeral: boolean;
        readonly preauthorized: boolean;
        readonly tags?: readonly string[] | null;
      };
    };
  };
}

/** RFC 3339 without fractions, as the official provider writes times. */
function seconds(time: string): string {
  return time.replace(/\.\d+/, "");
}

function outputsOf(key: ApiKey): ValueMap {
  const { reusable, ephemeral, preauthorized, tags } = key.capabilities.devices.create;
  return {
    reusable,
    ephemeral,
    preauthorized,
    tags: [...(tags ?? [])],
    description: key.description,
    expiry: key.expirySeconds ?? 0,
    createdAt: seconds(key.created),
    expiresAt: seconds(key.expires),
    invalid: key.invalid ?? false,
    userId: key.userId ?? "",
  };
}

/** The key as the API has it; undefined when it has none of that id. */
async function find(client: Client, id: string, signal: AbortSignal): Promise<ApiKey | undefined> {
  try {
    const key = await client.call<ApiKey>(client.tailnet("keys", id), { signal });
    if (key.keyType === "auth") return key;
    throw new Error(
      `Invalid key type '${key.keyType}': only 'auth' keys are supported by this resource`,
    );
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** An invalid single-use key has most likely been used; an invalid reusable one is missed. */
function isRecreated(reusable: Value | undefined, wish: Value | undefined): boolean {
  if (wish === "always" || wish === "never") return wish === "always";
  return reusable === true;
}

const asSet = (value: Value | undefined): Value | undefined =>
  Array.isArray(value) ? [...new Set(value.map(String))].sort() : value;

/** An auth key. It is made once and never changes; that it has lapsed is seen by a refresh only. */
export const tailnetKey: ResourceSpec<Client> = {
  computed: { key: "create", createdAt: "create", expiresAt: "create", invalid: "create" },
  secretOutputs: ["key"],

  check({ news }) {
    const { checked, failures } = checkFields(fields, news);
    const { description } = checked;
    if (typeof description === "string" && !isUnknown(description) && description.length > 50) {
      failures.push({ property: "description", reason: "must be at most 50 characters" });
    }
    return { inputs: checked, failures };
  },

  diff({ olds, news }) {
    const changes: Record<string, ChangeKind> = {};
    for (const name of REPLACING) {
      const wanted = news[name] ?? DEFAULTS[name];
      if (wanted === undefined) continue;
      if (!equalValues(asSet(olds[name]), asSet(wanted))) changes[name] = "update-replace";
    }
    for (const name of ["recreateIfInvalid", "userId"]) {
      const wanted = news[name];
      const isSame = wanted === undefined || equalValues(olds[name] ?? "", wanted);
      if (!isSame) changes[name] = olds[name] === undefined ? "add" : "update";
    }
    const reusable = news["reusable"] ?? false;
    if (olds["invalid"] === true && isRecreated(reusable, news["recreateIfInvalid"])) {
      changes["invalid"] = "update-replace";
    }
    return { changes };
  },

  async create({ inputs, context: { config: client, signal } }) {
    const { reusable, ephemeral, preauthorized, tags, description } = { ...DEFAULTS, ...inputs };
    const json = {
      capabilities: { devices: { create: { reusable, ephemeral, preauthorized, tags } } },
      expirySeconds: inputs["expiry"] ?? 0,
      description,
    };
    const key = await failing("create key: Error creating tailnet key", () =>
      client.call<ApiKey>(client.tailnet("keys"), { method: "POST", json, signal }),
    );
    return { id: key.id, outputs: { ...inputs, ...outputsOf(key), key: key.key ?? "" } };
  },

  async update({ id, olds, inputs, context: { config: client, signal } }) {
    const key = await failing("fetch key", () => find(client, id, signal));
    const now: ValueMap = key ? outputsOf(key) : { ...olds, invalid: true };
    return { ...now, ...inputs, key: olds["key"] ?? "" };
  },

  async read({ id, olds, oldInputs, context: { config: client, signal } }) {
    const key = await failing("fetch key", () => find(client, id, signal));
    if (!key) return { outputs: { ...olds, invalid: true }, inputs: oldInputs };
    const outputs = { ...olds, ...outputsOf(key) };
    if (Object.keys(oldInputs).length > 0) return { outputs, inputs: oldInputs };
    // An import: whatever differs from the defaults was wished for.
    const inputs = Object.fromEntries(
      REPLACING.flatMap((name) => {
        const value = outputs[name];
        return value === undefined || equalValues(value, DEFAULTS[name]) ? [] : [[name, value]];
      }),
    );
    return { outputs, inputs };
  },

  async delete({ id, context: { config: client, signal } }) {
    try {
      await client.call(client.tailnet("keys", id), { method: "DELETE", signal });
    } catch (error) {
      // A single-use key may no longer be there.
      if (!(error instanceof ApiError && error.status === 404)) {
        throw new Error(`Failed to delete key: ${(error as Error).message}`);
      }
    }
  },
};

/** Says what failed, before why. */
export async function failing<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Error) || error.name === "AbortError") throw error;
    throw new Error(`Failed to ${what}: ${error.message}`);
  }
}
