/** Exit codes of the real CLI that this engine gives too. */
export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  stackNotFound: 6,
  changesFound: 7,
  cancelled: 8,
} as const;

/** A mistake of the user or a state of the world: its message is shown without a stack trace. */
export class EngineError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = ExitCode.failed,
  ) {
    super(message);
    this.name = "EngineError";
  }
}

/** Something Pulumi can do and this engine does not; the message names it. */
export class Unsupported extends EngineError {
  constructor(feature: string, instead = "use the Pulumi CLI (PULUMI_ENGINE=pulumi)") {
    super(`the embedded engine does not support ${feature}; ${instead}`);
    this.name = "Unsupported";
  }
}

/** Reads a message off anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
