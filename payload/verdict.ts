import { z } from "zod";
import { list, parseOutput, text, type Parsed } from "./untrusted";
import { factsSchema, type Facts, tailnetFact } from "./facts";

const step = z.object({
  name: text(120),
  status: z.enum(["ok", "changed", "failed", "held"]),
  before: text(600).optional(),
  after: text(600).optional(),
  /** Milliseconds. */
  ms: z.number(),
  error: text(1200).optional(),
});

/** What one command on one host came to; the one line it prints. */
export const verdictSchema = z.object({
  phase: z.enum(["stage", "prepare", "secrets", "join", "activate", "absent", "arm", "disarm"]),
  node: text(128),
  /** Everything is as wished. Wanted but not required things may have failed: see the steps. */
  ok: z.boolean(),
  /** How it ended; `blocked` means somebody else holds the port, and nothing was touched. */
  outcome: z.enum(["ok", "failed", "blocked", "rolled-back", "absent"]),
  steps: list(step, 80),
  error: text(1200).optional(),
  /** Set when the release was taken back: to which, and whether that one got healthy. */
  rollback: z.object({ to: text(64), ok: z.boolean(), error: text(1200).optional() }).optional(),
  /** What a person should know though nothing failed: `not started at boot`, competitors. */
  notes: list(text(400), 40),
  /** Dead-man timers that undo a change unless the controller comes back over a new connection. */
  armed: list(text(64), 8).optional(),
  release: text(64).optional(),
  /** The device, after a join. */
  tailnet: tailnetFact.optional(),
  runId: text(64),
  at: text(40),
  /** Where the rest of the output is, on the host. */
  log: text(200).optional(),
});

export type Verdict = z.infer<typeof verdictSchema>;
export type Step = z.infer<typeof step>;

/** Reads a verdict from a command's output; never throws. */
export function parseVerdict(output: string): Parsed<Verdict> {
  return parseOutput("verdict", verdictSchema, output);
}

/** Reads facts from a probe's output; never throws. */
export function parseFacts(output: string): Parsed<Facts> {
  return parseOutput("facts", factsSchema, output);
}
