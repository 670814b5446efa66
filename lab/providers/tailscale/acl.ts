import { randomUUID } from "node:crypto";
import { isUnknown, type ValueMap } from "../../wire";
import { checkFields, type Fields } from "../command/fields";
import { type ChangeKind, type ResourceSpec } from "../kit";
import { ApiError, type Client } from "./client";
import { canonicalHujson, hujsonError } from "./hujson";
import { failing } from "./tailnetKey";

const fields: Fields = {
  name: "Acl",
  fields: {
    acl: { type: "string", required: true },
    overwriteExistingContent: { type: "boolean" },
    resetAclOnDestroy: { type: "boolean" },
  },
};

/** The service's name for a policy that nobody has ever set. */
const NEVER_SET = '"ts-default"';

function set(
  client: Client,
  text: string,
  signal: AbortSignal,
  headers?: Record<string, string>,
): Promise<unknown> {
  return client.send(client.tailnet("acl"), { method: "POST", hujson: text, headers, signal });
}

/** The tailnet's policy as text, byte for byte. */
export async function readPolicy(client: Client, signal: AbortSignal): Promise<string> {
  const headers = { accept: "application/hujson" };
  return (await client.send(client.tailnet("acl"), { headers, signal })).text;
}

const textOf = (values: ValueMap): string =>
  typeof values["acl"] === "string" ? values["acl"] : "";

/** The tailnet's one policy file. Another layout of the same text is no change. */
export const acl: ResourceSpec<Client> = {
  check({ news }) {
    const { checked, failures } = checkFields(fields, news);
    const text = checked["acl"];
    if (typeof text === "string" && !isUnknown(text)) {
      const error = hujsonError(text);
      if (error !== undefined) failures.push({ property: "acl", reason: `not HuJSON: ${error}` });
    }
    return { inputs: checked, failures };
  },

  diff({ olds, news }) {
    const changes: Record<string, ChangeKind> = {};
    const [before, after] = [textOf(olds), textOf(news)];
    if (isUnknown(after) || canonicalHujson(before) !== canonicalHujson(after)) {
      changes["acl"] = "update";
    }
    for (const name of ["overwriteExistingContent", "resetAclOnDestroy"]) {
      if ((olds[name] ?? false) !== (news[name] ?? false)) changes[name] = "update";
    }
    return { changes };
  },

  async create({ inputs, context: { config: client, signal } }) {
    const isOverwritten = inputs["overwriteExistingContent"] === true;
    try {
      const headers = isOverwritten ? undefined : { "if-match": NEVER_SET };
      await set(client, textOf(inputs), signal, headers);
    } catch (error) {
      if (error instanceof ApiError && error.status === 412) {
        throw new Error(
          "Overwrite Protected: You are trying to overwrite a non-default policy. " +
            "Please import the ACL first or set overwriteExistingContent = true.",
        );
      }
      throw new Error(`Failed to set ACL: ${(error as Error).message}`);
    }
    return { id: randomUUID(), outputs: inputs };
  },

  async update({ inputs, context: { config: client, signal } }) {
    await failing("update ACL", () => set(client, textOf(inputs), signal));
    return inputs;
  },

  async read({ olds, oldInputs, context: { config: client, signal } }) {
    const text = await failing("fetch ACL", () => readPolicy(client, signal));
    return { outputs: { ...olds, acl: text }, inputs: { ...oldInputs, acl: text } };
  },

  async delete({ olds, context: { config: client, signal } }) {
    // A tailnet always has a policy: without the wish to reset it, it stays as it is.
    if (olds["resetAclOnDestroy"] !== true) return;
    await failing("reset ACL", () => set(client, "", signal));
  },
};
