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

/** Id and outputs of a resource; throws for a type that it does not know. */
type NewResource = (
  type: string,
  name: string,
  inputs: Record<string, unknown>,
) => { id: string | undefined; state: Record<string, unknown> };

/** Engine and providers in one: every resource is recorded, a name that comes twice throws, as does any function. */
export async function startStrictMocks(
  answer: NewResource,
  preview: boolean,
  project = "p2p-fleet",
): Promise<Registered[]> {
  const registered: Registered[] = [];
  const names = new Set<string>();
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const values = inputs as Record<string, unknown>;
        if (names.has(`${type} ${name}`)) throw new Error(`${type} ${name} is registered twice`);
        names.add(`${type} ${name}`);
        registered.push({ type, name, inputs: values });
        return answer(type, name, values);
      },
      call: ({ token }) => {
        throw new Error(`unknown function ${token}`);
      },
    },
    project,
    "test",
    preview,
  );
  return registered;
}

/** @param answer outputs of a command, beside its inputs */
export async function startMocks(answer: Answer, preview = false): Promise<Registered[]> {
  return startStrictMocks((type, name, values) => {
    if (type === "p2p:components:P2pHost") return { id: "", state: {} };
    if (type !== "command:remote:Command") throw new Error(`unknown type ${type}`);
    return { id: `${name}-id`, state: { ...values, ...answer(name, values) } };
  }, preview);
}

/** Around every test of a file: diagnostics go to the console where there is no engine, and the mocks end. */
export function quietly(): void {
  beforeEach(() => {
    for (const method of ["warn", "error", "info"] as const)
      jest.spyOn(console, method).mockImplementation(() => undefined);
  });
  afterEach(async () => {
    await pulumi.runtime.disconnect();
    jest.restoreAllMocks();
  });
}

/** How a host of these tests is reached: nobody dials it. */
export const CONNECTION = {
  host: "192.0.2.1",
  port: 22,
  user: "root",
  keyPath: null,
  hostKey: "ssh-ed25519 AAAA",
  jump: null,
};
