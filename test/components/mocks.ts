/** Pulumi's mocks, strict: unknown types and doubled names throw. */

import * as pulumi from "@pulumi/pulumi";

export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
}

export type Answer = (name: string, inputs: Record<string, unknown>) => Record<string, unknown>;

const SECRET = "4dabf18193072939515e22adb298388d";

/** A secret that arrived wrapped, unwrapped; throws for a value in clear. */
export function unwrapSecret(value: unknown): unknown {
  if (!pulumi.runtime.isRpcSecret(value)) throw new Error("not a secret");
  return (value as Record<string, unknown>)["value"];
}

export function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && SECRET in value;
}

/** @param answer outputs of a command, beside its inputs */
export async function startMocks(answer: Answer, preview = false): Promise<Registered[]> {
  const registered: Registered[] = [];
  const names = new Set<string>();
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const values = inputs as Record<string, unknown>;
        if (names.has(`${type} ${name}`)) throw new Error(`${type} ${name} is registered twice`);
        names.add(`${type} ${name}`);
        registered.push({ type, name, inputs: values });
        if (type === "p2p:components:P2pHost") return { id: "", state: {} };
        if (type !== "command:remote:Command") throw new Error(`unknown type ${type}`);
        return { id: `${name}-id`, state: { ...values, ...answer(name, values) } };
      },
      call: ({ token }) => {
        throw new Error(`unknown function ${token}`);
      },
    },
    "p2p-fleet",
    "test",
    preview,
  );
  return registered;
}
