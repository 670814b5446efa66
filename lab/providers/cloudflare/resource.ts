import { equalValues, isUnknown, type Value, type ValueMap } from "../../wire";
import { type CallContext, type CheckFailure, type ResourceSpec } from "../kit";
import { ApiFailure, type Client, type Json } from "./client";

/** What tells one resource of the API from the next. */
export interface Definition {
  /** Inputs that must be there. */
  readonly required: readonly string[];
  /** All other inputs. */
  readonly optional: readonly string[];
  /** Further problems with inputs; unknown ones may be anywhere. */
  problems?(inputs: ValueMap): CheckFailure[];
  /** What the provider puts into inputs that were left out, as outputs. */
  readonly defaults?: ValueMap;
  /** Outputs that are no inputs; see ResourceSpec. */
  readonly computed: Readonly<Record<string, "create" | "update">>;
  /** Inputs that the API fills in where they were left out. */
  readonly filledIn?: readonly string[];
  readonly replaceOnChanges: readonly string[];
  readonly secretInputs?: readonly string[];
  readonly secretOutputs?: readonly string[];
  /** Path of all such resources of the owner that the inputs name. */
  collection(inputs: ValueMap): string;
  /** Path of one of them. @default collection/id */
  one?(inputs: ValueMap, id: string): string;
  /** How it is created. @default POST to the collection */
  readonly create?: "PUT";
  /** How it is changed. @default PUT */
  readonly change?: "PATCH";
  /** What is sent to create it, or to change it. */
  body(inputs: ValueMap, olds?: ValueMap): Json;
  /** All its properties from what the API shows. */
  show(result: Json): ValueMap;
  /** @default DELETE; "nothing" leaves it where it is */
  readonly delete?: "nothing";
  /** Said before it is created, and before it is left where it is. */
  readonly warning?: { readonly create: string; readonly delete: string };
  /** The owner's inputs from an import id without its last part; undefined when it is none of this kind. */
  owner(parts: readonly string[]): ValueMap | undefined;
  /** How an import id looks, for its error. */
  readonly importForm: string;
  /** Where an interrupted run was creating it: what it had made, if that can be told from somebody else's. */
  findOwn?(client: Client, inputs: ValueMap, signal: AbortSignal): Promise<Json | undefined>;
}

type Context = CallContext<Client>;

const idOf = (result: Json): string => String(result["id"]);

/** A resource whose life is that of one object of the API. */
export function resource(definition: Definition): ResourceSpec<Client> {
  const { collection, show } = definition;
  const names = [...definition.required, ...definition.optional];
  const one = (inputs: ValueMap, id: string): string =>
    definition.one?.(inputs, id) ?? `${collection(inputs)}/${id}`;

  /** Inputs as they were given, and of what the API says whatever is no input or was left out. */
  const outputs = (result: Json, inputs: ValueMap, olds: ValueMap = {}): ValueMap => {
    const shown = show(result);
    const added = [...Object.keys(definition.computed), ...(definition.filledIn ?? [])]
      .filter((key) => !Object.hasOwn(inputs, key))
      .flatMap((key): [string, Value][] => {
        const value = shown[key] ?? olds[key];
        return value === undefined ? [] : [[key, value]];
      });
    return { ...definition.defaults, ...Object.fromEntries(added), ...inputs };
  };

  return {
    computed: definition.computed,
    replaceOnChanges: definition.replaceOnChanges,
    secretInputs: definition.secretInputs,
    secretOutputs: definition.secretOutputs,

    check({ news }) {
      // Null means the same as nothing at all, to the SDK as to the API.
      const inputs = Object.fromEntries(
        Object.entries(news).filter(([, value]) => value !== null && value !== undefined),
      );
      const missing = definition.required.filter((key) => !Object.hasOwn(inputs, key));
      const strange = Object.keys(inputs).filter(
        (key) => !names.includes(key) && !key.startsWith("__"),
      );
      const failures: CheckFailure[] = [
        ...missing.map((property) => ({ property, reason: `Missing required property` })),
        ...strange.map((property) => ({ property, reason: "Unexpected property" })),
        ...(definition.problems?.(inputs) ?? []),
      ];
      return { inputs, failures };
    },

    async create({ inputs, context }) {
      if (definition.warning) context.log("warning", definition.warning.create);
      const method = definition.create ?? "POST";
      const path = definition.create === "PUT" ? one(inputs, "") : collection(inputs);
      const result = await context.config.call(
        method,
        path,
        context.signal,
        definition.body(inputs),
      );
      const id = definition.create === "PUT" ? String(inputs["tunnelId"]) : idOf(result);
      return { id, outputs: outputs(result, inputs) };
    },

    async update({ id, inputs, olds, context }) {
      const method = definition.change ?? "PUT";
      const body = definition.body(inputs, olds);
      const result = await context.config.call(method, one(inputs, id), context.signal, body);
      return outputs(result, inputs, olds);
    },

    async delete({ id, olds, context }) {
      if (definition.delete === "nothing") {
        if (definition.warning) context.log("warning", definition.warning.delete);
        return;
      }
      await context.config.call("DELETE", one(olds, id), context.signal);
    },

    async read({ id, olds, oldInputs, context }) {
      const isImport = id.includes("/");
      const parts = id.split("/");
      const owner = isImport ? definition.owner(parts.slice(0, -1)) : { ...oldInputs, ...olds };
      if (owner === undefined) {
        throw new Error(`invalid ID: "${id}", expected "${definition.importForm}"`);
      }
      const result = await readOne(context, owner, isImport ? (parts.at(-1) ?? "") : id);
      if (result === undefined) return undefined;
      const found = definition.create === "PUT" ? String(result["tunnel_id"]) : idOf(result);
      const shown = { ...owner, ...show(result) };
      // What nobody asked for stays no input, else it would be a change to take it away.
      const given =
        isImport || Object.keys(oldInputs).length === 0 ? names : Object.keys(oldInputs);
      const inputs = Object.fromEntries(
        given.flatMap((key): [string, Value][] => {
          const kept = oldInputs[key];
          const now = shown[key] ?? kept;
          if (now === undefined) return [];
          return [[key, kept !== undefined && equalValues(kept, now) ? kept : now]];
        }),
      );
      const all = outputs(result, inputs, olds);
      return { id: found, inputs, outputs: all };
    },
  };

  /** The object by its id; without one, what an interrupted run has left. */
  async function readOne(
    { config, signal }: Context,
    owner: ValueMap,
    id: string,
  ): Promise<Json | undefined> {
    if (id === "") return definition.findOwn?.(config, owner, signal);
    try {
      return await config.call("GET", one(owner, id), signal);
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 404) return undefined;
      throw error;
    }
  }
}

/** A failure unless the value is one of those; an unknown one may be. */
export function oneOf(inputs: ValueMap, key: string, values: readonly string[]): CheckFailure[] {
  const value = inputs[key];
  if (value === undefined || isUnknown(value) || values.includes(String(value))) return [];
  const list = values.map((item) => `"${item}"`).join(" ");
  return [{ property: key, reason: `value must be one of: [${list}], got: "${String(value)}"` }];
}

/** `accounts/<id>` or `zones/<id>`, for what can belong to either. */
export function ownerPath(inputs: ValueMap): string {
  return inputs["accountId"] === undefined
    ? `zones/${String(inputs["zoneId"])}`
    : `accounts/${String(inputs["accountId"])}`;
}

/** The owner's inputs from `accounts/<id>` or `zones/<id>`. */
export function eitherOwner([kind, id]: readonly string[]): ValueMap | undefined {
  if (id === undefined) return undefined;
  if (kind === "accounts") return { accountId: id };
  return kind === "zones" ? { zoneId: id } : undefined;
}

/** The owner's inputs from `<account id>`. */
export function accountOwner(parts: readonly string[]): ValueMap | undefined {
  return parts.length === 1 ? { accountId: parts[0] ?? "" } : undefined;
}

export function without(values: ValueMap, keys: readonly string[]): ValueMap {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)));
}
