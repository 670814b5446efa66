/** Values of resources that may have failed, for a program that goes on without them. */

import type * as pulumi from "@pulumi/pulumi";

/** Milliseconds; the provider's own deadline is a minute. */
const DEADLINE_MS = 120_000;

/**
 * An output of a resource that failed never settles; `isKnown` does. Not for previews: there nothing is known.
 * @returns undefined when the resource was not made
 */
export async function settled<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  const inside = output as unknown as { promise(): Promise<T>; isKnown: Promise<boolean> };
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), DEADLINE_MS);
  });
  const known = inside.isKnown.then((isKnown) => (isKnown ? inside.promise() : undefined));
  const value = await Promise.race([known, deadline]);
  clearTimeout(timer);
  return value;
}
