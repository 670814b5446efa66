import { type ValueMap } from "../../wire";
import { checkFields, type Field, type Fields } from "../command/fields";
import { type ResourceSpec } from "../kit";
import { ApiError, type Client } from "./client";
import { failing } from "./tailnetKey";

interface Property {
  readonly name: string;
  /** The one input besides deviceId. */
  readonly field: string;
  readonly type: Field;
  /** Last word of the API's path, which is also the name of the value there. */
  readonly path: string;
  readonly property: string;
  /** What is sent when the resource goes; undefined sends nothing. */
  readonly empty?: ValueMap[string];
}

/** One property of a device that is there already. The resource's id is the device's. */
function deviceProperty(spec: Property): ResourceSpec<Client> {
  const fields: Fields = {
    name: spec.name,
    fields: { deviceId: { type: "string", required: true }, [spec.field]: spec.type },
  };
  const write = (client: Client, id: string, value: unknown, signal: AbortSignal) =>
    failing(`set ${spec.name} of ${id}`, () =>
      client.call(client.path("device", id, spec.path), {
        method: "POST",
        json: { [spec.property]: value },
        signal,
      }),
    );
  return {
    replaceOnChanges: ["deviceId"],

    check({ news }) {
      const { checked, failures } = checkFields(fields, news);
      return { inputs: checked, failures };
    },

    async create({ inputs, context: { config, signal } }) {
      const id = String(inputs["deviceId"]);
      await write(config, id, inputs[spec.field], signal);
      return { id, outputs: inputs };
    },

    async update({ id, inputs, context: { config, signal } }) {
      await write(config, id, inputs[spec.field], signal);
      return inputs;
    },

    async read({ id, context: { config: client, signal } }) {
      try {
        const device = await client.call<ValueMap>(client.path("device", id), { signal });
        const values = { deviceId: id, [spec.field]: device[spec.property] ?? null };
        return { outputs: values, inputs: values };
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },

    async delete({ id, context: { config, signal } }) {
      if (spec.empty !== undefined) await write(config, id, spec.empty, signal);
    },
  };
}

/** The API refuses to take the last tag from a tagged device, and so this resource cannot be deleted there. */
export const deviceTags = deviceProperty({
  name: "DeviceTags",
  field: "tags",
  type: { type: "strings", required: true },
  path: "tags",
  property: "tags",
  empty: [],
});

export const deviceKey = deviceProperty({
  name: "DeviceKey",
  field: "keyExpiryDisabled",
  type: { type: "boolean", fallback: false },
  path: "key",
  property: "keyExpiryDisabled",
  empty: false,
});

export const deviceAuthorization = deviceProperty({
  name: "DeviceAuthorization",
  field: "authorized",
  type: { type: "boolean", required: true },
  path: "authorized",
  property: "authorized",
});
