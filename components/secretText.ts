/** Secrets of the stack's configuration, opened for what has to be decided with them. */

import { createHmac } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

export function textOf(secret: pulumi.Output<string>): Promise<string> {
  return new Promise((resolve) => {
    pulumi.unsecret(secret).apply(resolve);
  });
}

/**
 * The secret's text, and a digest keyed by itself: it can be compared, and tells nothing.
 * @param purpose makes digests of the same text for different uses differ
 */
export async function keyedSecret(
  secret: pulumi.Output<string>,
  purpose: string,
): Promise<{ readonly text: string; readonly digest: string }> {
  const text = await textOf(secret);
  const digest = createHmac("sha256", text).update(purpose).digest("hex").slice(0, 32);
  return { text, digest };
}
