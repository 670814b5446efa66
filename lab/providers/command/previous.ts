import { type Logger } from "../kit";
import { type CommandInputs, type CommandOutputs } from "./inputs";

/** What a run needs of its call. */
export interface RunContext {
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Variables with what the last run printed; empty ones are left out. */
export function previousOutput(
  inputs: CommandInputs,
  { stdout, stderr }: CommandOutputs,
): Record<string, string> {
  if (inputs.addPreviousOutputInEnv === false) return {};
  return {
    ...(stdout && { PULUMI_COMMAND_STDOUT: stdout }),
    ...(stderr && { PULUMI_COMMAND_STDERR: stderr }),
  };
}
