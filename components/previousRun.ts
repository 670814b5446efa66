/** What the last finished run left in this stack's own outputs. Comfort only: convergence needs no memory. */

import * as pulumi from "@pulumi/pulumi";
import { type Debt } from "../health/outcome";

export interface PreviousRun {
  readonly debt: Readonly<Record<string, Debt>>;
  /** Digest of the release that was seen healthy, by host. */
  readonly releases: Readonly<Record<string, string>>;
}

/** Empty on the first run. What it reads is not exported again, or the outputs would nest deeper each run. */
export async function previousRun(): Promise<PreviousRun> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const self = new pulumi.StackReference(name);
  const [debt, hosts] = await Promise.all([
    self.getOutputDetails("debt"),
    self.getOutputDetails("hosts"),
  ]);
  const states = (hosts.value ?? {}) as Record<string, { release?: string | null }>;
  return {
    debt: (debt.value ?? {}) as Record<string, Debt>,
    releases: Object.fromEntries(
      Object.entries(states).flatMap(([host, { release }]) => (release ? [[host, release]] : [])),
    ),
  };
}
