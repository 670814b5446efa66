import { rollOut, type RolloutOptions, type Task } from "../../components/rollout";
import { type Work } from "../../converge/work";
import { type Facts } from "../../payload/facts";
import { type Answer, type Registered, startMocks, quietly, CONNECTION } from "./mocks";

const NEEDED: Work = { kind: "needed", drift: [], nonce: "2026-01-01T00:00:00.000Z" };
const IN_ORDER: Work = { kind: "in-order" };
const spec = (node: string) => ({ state: "absent" as const, node });
const alive = (node: string) =>
  ({
    service: { state: "running" },
    port: [],
    health: { status: 200, nodeId: node },
    status: { alive: [], heard: {} },
  }) as unknown as Facts;

const voter = (name: string, more: Partial<Task> = {}): Task => ({
  name,
  connection: CONNECTION,
  isVoter: true,
  prepare: { spec: spec(name), work: IN_ORDER },
  secrets: { spec: { node: name, files: [] }, work: NEEDED },
  activate: { spec: spec(name), work: NEEDED },
  facts: alive(name),
  together: "token",
  contents: new Map(),
  warnings: [],
  ...more,
});

/** Every command succeeds but those named. */
const answers =
  (failing: readonly string[]): Answer =>
  (name) => ({
    stdout: JSON.stringify({
      ...{ phase: "activate", node: "n", steps: [], notes: [], runId: "r", at: "" },
      ...(failing.includes(name)
        ? { ok: false, outcome: "failed", error: "boom" }
        : { ok: true, outcome: "ok" }),
    }),
  });
const options: RolloutOptions = {
  maxParallel: 1,
  allowQuorumLoss: false,
  quorum: 3,
  voterReturnMilliseconds: 1,
  lookAt: () => Promise.resolve(new Map()),
};
/** Commands that would dial, in their order, without `prepare`, which is in order here. */
const dialled = (registered: readonly Registered[]): string[] =>
  registered
    .filter(({ inputs }) => inputs["create"] !== undefined)
    .map(({ name }) => name)
    .filter((name) => !name.endsWith("-prepare"));

quietly();

describe("a switch of the cluster token", () => {
  it("restarts all at once, voters too, after the last file is written, and before other work", async () => {
    const registered = await startMocks(answers([]));
    const worker = voter("w", { isVoter: false, together: undefined });
    await rollOut([voter("a"), voter("b"), voter("c"), worker], options);
    expect(dialled(registered)).toEqual([
      "a-secrets",
      "b-secrets",
      "c-secrets",
      "w-secrets",
      "a-activate",
      "b-activate",
      "c-activate",
      "w-activate",
    ]);
  });

  it("does not begin while one of the files could not be written", async () => {
    const registered = await startMocks(answers(["b-secrets"]));
    const results = await rollOut([voter("a"), voter("b"), voter("c")], options);
    expect(dialled(registered)).toEqual(["a-secrets", "b-secrets", "c-secrets"]);
    expect([...results].map(([name, { activateWork }]) => [name, activateWork])).toEqual(
      ["a", "b", "c"].map((name) => [
        name,
        {
          kind: "waiting",
          cause: "held",
          why: "held: the token is not switched: b: its secret files could not be written",
        },
      ]),
    );
  });

  it("holds the rest when one of them fails", async () => {
    const registered = await startMocks(answers(["b-activate"]));
    const worker = voter("w", { isVoter: false, together: undefined });
    const results = await rollOut([voter("a"), voter("b"), worker], options);
    expect(dialled(registered)).not.toContain("w-activate");
    expect(results.get("w")?.activateWork).toEqual({
      kind: "waiting",
      cause: "held",
      why: "held: token b failed",
    });
  });
});

describe("paths that are turned off", () => {
  it("restart all daemons at once, and one that fails holds nobody up", async () => {
    const registered = await startMocks(answers(["b-activate"]));
    const leaving = ["a", "b", "c"].map((name) =>
      voter(name, { together: "paths", secrets: undefined }),
    );
    const worker = voter("w", { isVoter: false, together: undefined, secrets: undefined });
    const results = await rollOut([...leaving, worker], options);
    expect(dialled(registered)).toEqual(["a-activate", "b-activate", "c-activate", "w-activate"]);
    expect([...results].map(([name, { activate }]) => [name, activate.kind])).toEqual([
      ["a", "verdict"],
      ["b", "verdict"],
      ["c", "verdict"],
      ["w", "verdict"],
    ]);
  });
});
