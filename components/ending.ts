/** How a command ended, for a program that decides what to register next. */

import * as pulumi from "@pulumi/pulumi";
import { type Work } from "../converge/work";
import { parseVerdict, type Verdict } from "../payload/verdict";

export type Ending =
  /** Nothing was run: in order, waiting, or preview. */
  | { readonly kind: "not run" }
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  /** The command was lost on the way, or its answer cannot be read. */
  | { readonly kind: "lost"; readonly why: string };

/** A little more than the host gives itself (`timeout 900`), and the dials. */
const LONGEST_COMMAND_MS = 1_000_000;

/**
 * What an output holds, out of its secrecy; undefined where that is unknown (in preview), was lost with its
 * resource, or has not come in time.
 */
export async function valueOf<T>(
  output: pulumi.Output<T>,
  milliseconds: number,
): Promise<T | undefined> {
  const inner = pulumi.unsecret(output) as unknown as {
    promise(): Promise<T | undefined>;
    isKnown: Promise<boolean>;
  };
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  const known = inner.isKnown.then((isKnown) => (isKnown ? inner.promise() : undefined));
  const value = await Promise.race([known, deadline]);
  clearTimeout(timer);
  return value;
}

/**
 * An output of a command that failed never settles; awaiting it alone would end the program with half of the
 * fleet unregistered. `isKnown` settles in that case too, and a deadline covers what is left.
 */
export async function endingOf(stdout: pulumi.Output<string>, work: Work): Promise<Ending> {
  if (work.kind !== "needed" || pulumi.runtime.isDryRun()) return { kind: "not run" };
  const text = await valueOf(stdout, LONGEST_COMMAND_MS);
  if (typeof text !== "string") return { kind: "lost", why: "the command did not come to an end" };
  const parsed = parseVerdict(text);
  return parsed.ok
    ? { kind: "verdict", verdict: parsed.value }
    : { kind: "lost", why: parsed.error };
}
