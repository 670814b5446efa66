import { randomBytes } from "node:crypto";
import { type ValueMap } from "../../wire";
import { type ResourceSpec } from "../kit";
import { checkFields, type Fields } from "./fields";
import { type CommandInputs, type CommandOutputs, readInputs } from "./inputs";
import { type RunContext } from "./previous";

/** Runs a command; resolves with what it printed and any other output. */
export type Run<Inputs> = (
  command: string,
  inputs: Inputs,
  previous: CommandOutputs,
  context: RunContext,
) => Promise<CommandOutputs & ValueMap>;

/**
 * The life of a command resource, the same for local and remote ones: `create` once, on any change of the inputs
 * `update` or else `create` again, `delete` at the end; whichever is not given runs nothing. Changed triggers replace.
 */
export function commandResource<Inputs extends CommandInputs>(
  fields: Fields,
  run: Run<Inputs>,
): Pick<
  ResourceSpec<undefined>,
  "check" | "create" | "update" | "delete" | "computed" | "replaceOnChanges"
> {
  return {
    computed: { stdout: "update", stderr: "update" },
    replaceOnChanges: ["triggers"],

    check({ news }) {
      const { checked, failures } = checkFields(fields, news);
      return { inputs: checked, failures };
    },

    async create({ inputs: values, context }) {
      const inputs = readInputs<Inputs>(values);
      const printed: ValueMap =
        inputs.create === undefined ? nothing : await run(inputs.create, inputs, nothing, context);
      return { id: newId(context.name), outputs: { ...values, ...printed } };
    },

    async update({ inputs: values, olds, context }) {
      const inputs = readInputs<Inputs>(values);
      const previous = printedBefore(olds);
      const command = inputs.update ?? inputs.create;
      const printed: ValueMap =
        command === undefined ? previous : await run(command, inputs, previous, context);
      return { ...values, ...printed };
    },

    async delete({ olds, context }) {
      const inputs = readInputs<Inputs>(olds);
      if (inputs.delete === undefined) return;
      await run(inputs.delete, inputs, printedBefore(olds), context);
    },
  };
}

/** An id in the form of the official plugin: a prefix and eight hexadecimal digits. */
export function newId(prefix: string): string {
  return prefix + randomBytes(4).toString("hex");
}

const nothing = { stdout: "", stderr: "" };

function printedBefore(olds: ValueMap): CommandOutputs & ValueMap {
  const text = (key: string) => (typeof olds[key] === "string" ? olds[key] : "");
  return { stdout: text("stdout"), stderr: text("stderr") };
}
