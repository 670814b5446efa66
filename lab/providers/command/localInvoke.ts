import { InvalidArguments, type InvokeSpec } from "../kit";
import { checkFields } from "./fields";
import { type LocalCommandInputs, localRunFields, readInputs } from "./inputs";
import { runLocal } from "./localRun";

/** Runs a command on this machine in every preview and every update. */
export const localRun: InvokeSpec<undefined> = {
  async call({ args, context }) {
    const { checked, failures } = checkFields(localRunFields, args);
    if (failures.length > 0) throw new InvalidArguments(failures);
    const inputs = readInputs<LocalCommandInputs & { command: string }>(checked);
    const nothing = { stdout: "", stderr: "" };
    return { ...checked, ...(await runLocal(inputs.command, inputs, nothing, context)) };
  },
};
