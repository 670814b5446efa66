import * as pulumi from "@pulumi/pulumi";
import { rollOut, type RolloutOptions, type Task } from "../../components/rollout";
import { type Work } from "../../converge/work";
import { type Facts } from "../../payload/facts";
import { type Verdict } from "../../payload/verdict";
import {
  type Answer,
  isSecret,
  type Registered,
  startMocks,
  unwrapSecret,
  quietly,
  CONNECTION,
} from "./mocks";

const NEEDED: Work = {
  kind: "needed",
  drift: [{ what: "service", want: "running", is: "failed: no psutil" }],
  nonce: "2026-01-01T00:00:00.000Z",
};
const WAITING: Work = { kind: "waiting", cause: "unreachable", why: "unreachable: refused" };
const IN_ORDER: Work = { kind: "in-order" };

const spec = (node: string) => ({ state: "absent" as const, node, agent: "a1" });

function facts(node: string, alive: readonly string[], isUp = true): Facts {
  return {
    service: { state: isUp ? "running" : "failed" },
    port: [],
    health: { status: 200, nodeId: node },
    status: { alive, heard: {} },
  } as unknown as Facts;
}

function task(name: string, work: Work, more: Partial<Task> = {}): Task {
  return {
    name,
    connection: CONNECTION,
    isVoter: false,
    prepare: { spec: spec(name), work },
    secrets: undefined,
    activate: { spec: spec(name), work },
    facts: undefined,
    contents: new Map(),
    warnings: [],
    ...more,
  };
}

const verdict = (phase: string, more: Partial<Verdict> = {}): string =>
  JSON.stringify({
    phase,
    node: "n",
    ok: true,
    outcome: "ok",
    steps: [],
    notes: [],
    runId: "r",
    at: "",
    ...more,
  });

/** Every command succeeds but those named. */
const answers =
  (failing: readonly string[]): Answer =>
  (name) => ({
    stdout: verdict(name.endsWith("prepare") ? "prepare" : "activate", {
      ...(failing.includes(name) ? { ok: false, outcome: "failed", error: "boom" } : {}),
    }),
  });

const options = (more: Partial<RolloutOptions> = {}): RolloutOptions => ({
  maxParallel: 8,
  allowQuorumLoss: false,
  quorum: 2,
  voterReturnMilliseconds: 1,
  lookAt: () => Promise.resolve(new Map()),
  ...more,
});

/** Names of commands that would dial, in the order in which they were registered. */
const dialled = (registered: readonly Registered[]): string[] =>
  registered.filter(({ inputs }) => inputs["create"] !== undefined).map(({ name }) => name);

const stdinOf = (registered: readonly Registered[], name: string): unknown =>
  JSON.parse(registered.find((entry) => entry.name === name)?.inputs["stdin"] as string);

quietly();

describe("rollOut", () => {
  it("registers every prepare before the first activate, and the canary alone first", async () => {
    const registered = await startMocks(answers([]));
    const results = await rollOut(
      [task("w1", NEEDED), task("w2", NEEDED), task("w3", NEEDED)],
      options(),
    );
    expect(dialled(registered)).toEqual([
      "w1-prepare",
      "w2-prepare",
      "w3-prepare",
      "w1-activate",
      "w2-activate",
      "w3-activate",
    ]);
    expect([...results.keys()].sort()).toEqual(["w1", "w2", "w3"]);
  });

  it("shows the drift under a nonce, the connection as a secret, and no log of the output", async () => {
    const registered = await startMocks(answers([]));
    await rollOut([task("w1", NEEDED)], options());
    const command = registered.find(({ name }) => name === "w1-activate");
    expect(stdinOf(registered, "w1-activate")).toEqual({
      ...spec("w1"),
      drift: { "2026-01-01T00:00:00.000Z": { service: "running → failed: no psutil" } },
    });
    expect(isSecret(command?.inputs["connection"])).toBe(true);
    expect(unwrapSecret(command?.inputs["connection"])).toEqual({
      host: "192.0.2.1",
      port: 22,
      user: "root",
      hostKey: "ssh-ed25519 AAAA",
      dialErrorLimit: 2,
      perDialTimeout: 10,
      ...(process.env["SSH_AUTH_SOCK"] === undefined
        ? {}
        : { agentSocketPath: process.env["SSH_AUTH_SOCK"] }),
    });
    expect(command?.inputs["logging"]).toBe("none");
    expect(command?.inputs["addPreviousOutputInEnv"]).toBe(false);
    expect("delete" in (command?.inputs ?? {})).toBe(false);
    expect("triggers" in (command?.inputs ?? {})).toBe(false);
  });

  it("never gives a host that waits anything to run", async () => {
    const registered = await startMocks(answers([]));
    const results = await rollOut([task("d1", WAITING), task("w1", NEEDED)], options());
    expect(dialled(registered)).toEqual(["w1-prepare", "w1-activate"]);
    expect(stdinOf(registered, "d1-activate")).toEqual({
      ...spec("d1"),
      waiting: "unreachable: refused",
    });
    expect(results.get("d1")?.activate).toEqual({ kind: "not run" });
  });

  it("holds everybody else after the canary failed", async () => {
    const registered = await startMocks(answers(["w1-activate"]));
    const results = await rollOut(
      [task("w1", NEEDED), task("w2", NEEDED), task("v1", NEEDED, { isVoter: true })],
      options(),
    );
    expect(dialled(registered).filter((name) => name.endsWith("activate"))).toEqual([
      "w1-activate",
    ]);
    expect(results.get("w2")?.activateWork).toEqual({
      kind: "waiting",
      cause: "held",
      why: "held: canary w1 failed",
    });
    expect(results.get("v1")?.activateWork).toEqual(results.get("w2")?.activateWork);
  });

  it("takes the next worker as canary when the first one's prepare failed, and leaves its daemon alone", async () => {
    const registered = await startMocks(answers(["w1-prepare"]));
    const results = await rollOut([task("w1", NEEDED), task("w2", NEEDED)], options());
    expect(dialled(registered)).toEqual(["w1-prepare", "w2-prepare", "w2-activate"]);
    expect(results.get("w1")?.activateWork).toEqual({
      kind: "waiting",
      cause: "held",
      why: "held: prepare failed",
    });
  });

  it("holds a live voter whose restart would break the quorum", async () => {
    const registered = await startMocks(answers([]));
    const up = (name: string, others: string[]) => [name, facts(name, others)] as const;
    const voters = ["v1", "v2"].map((name) =>
      task(name, NEEDED, { isVoter: true, facts: facts(name, []) }),
    );
    const results = await rollOut(
      voters,
      options({
        lookAt: () => Promise.resolve(new Map([up("v1", ["v2"]), up("v2", ["v1"])])),
      }),
    );
    expect(dialled(registered)).toEqual(["v1-prepare", "v2-prepare"]);
    expect(results.get("v1")?.activateWork).toMatchObject({
      kind: "waiting",
      cause: "held",
      why: expect.stringContaining("held: restarting voter v1 would leave 1 of 2 votes") as string,
    });
  });

  it("restarts it all the same with allowQuorumLoss", async () => {
    const registered = await startMocks(answers([]));
    const found = new Map([
      ["v1", facts("v1", ["v2"])],
      ["v2", facts("v2", ["v1"])],
    ]);
    const voters = ["v1", "v2"].map((name) =>
      task(name, NEEDED, { isVoter: true, facts: facts(name, []) }),
    );
    await rollOut(voters, options({ allowQuorumLoss: true, lookAt: () => Promise.resolve(found) }));
    expect(dialled(registered)).toEqual(["v1-prepare", "v2-prepare", "v1-activate", "v2-activate"]);
  });

  it("stops when the others do not count a restarted voter again", async () => {
    const registered = await startMocks(answers([]));
    const found = new Map([
      ["v1", facts("v1", ["v2", "v3"])],
      ["v2", facts("v2", ["v3"])],
      ["v3", facts("v3", ["v2"])],
    ]);
    const voters = ["v1", "v2", "v3"].map((name) =>
      task(name, NEEDED, { isVoter: true, facts: facts(name, []) }),
    );
    const results = await rollOut(voters, options({ lookAt: () => Promise.resolve(found) }));
    expect(dialled(registered).filter((name) => name.endsWith("activate"))).toEqual([
      "v1-activate",
    ]);
    expect(results.get("v2")?.activateWork).toMatchObject({ why: "held: voter v1 failed" });
  });

  it("does not take the others' old belief in a restarted voter for its return", async () => {
    const registered = await startMocks(answers([]));
    const found = new Map(
      ["v1", "v2", "v3"].map((name, _, all) => {
        const others = all.filter((other) => other !== name);
        return [name, facts(name, others)];
      }),
    );
    const restarted = found.get("v1");
    // Up for 5 s, and nobody heard of since.
    Object.assign(restarted?.health ?? {}, { uptimeSeconds: 5 });
    Object.assign(restarted?.status ?? {}, { heard: { v2: 9, v3: 9 } });
    const voters = ["v1", "v2", "v3"].map((name) =>
      task(name, NEEDED, { isVoter: true, facts: facts(name, []) }),
    );
    await rollOut(voters, options({ lookAt: () => Promise.resolve(found) }));
    expect(dialled(registered).filter((name) => name.endsWith("activate"))).toEqual([
      "v1-activate",
    ]);
  });

  it("takes voters that do not answer in time one after the other, and not for voters that are down", async () => {
    const registered = await startMocks(answers([]));
    const silent = (name: string): Facts => ({
      ...facts(name, []),
      port: [{ pid: 1, ours: true, name: "ringrift-p2p-node.service" }],
      health: null,
    });
    const [looks, turns]: [string[][], string[]] = [[], []];
    const voters = ["v1", "v2", "v3"].map((name) =>
      task(name, NEEDED, { isVoter: true, facts: silent(name) }),
    );
    // Busy at the first look, and well at every later one.
    const well = new Map(
      ["v1", "v2", "v3"].map((name, _, all) => [
        name,
        facts(
          name,
          all.filter((one) => one !== name),
        ),
      ]),
    );
    const lookAt = (): Promise<Map<string, Facts>> => {
      turns.push(
        ...dialled(registered)
          .filter((name) => name.endsWith("activate"))
          .slice(turns.length),
      );
      looks.push([...turns]);
      return Promise.resolve(
        looks.length === 1 ? new Map(voters.map(({ name }) => [name, silent(name)])) : well,
      );
    };
    await rollOut(voters, options({ lookAt, voterReturnMilliseconds: 60_000 }));
    expect(looks[0]).toEqual([]);
    expect(looks.at(-1)).toEqual(["v1-activate", "v2-activate", "v3-activate"]);
    expect(looks.some((seen) => seen.length === 1)).toBe(true);
    expect(looks.some((seen) => seen.length === 2)).toBe(true);
  });

  it("takes declared voters that are alive one at a time, where it knows no way to them too", async () => {
    const voters = ["v1", "v2", "v3"].map((name) =>
      task(name, NEEDED, { facts: facts(name, ["v1", "v2", "v3"]) }),
    );
    const first = async (more: Partial<RolloutOptions>) => {
      const registered = await startMocks(answers(["v2-activate"]));
      await rollOut([task("w1", NEEDED), ...voters], options(more));
      return dialled(registered).filter((name) => name.endsWith("activate"));
    };
    // The first that fails keeps the rest from being tried.
    expect(await first({ declared: ["v1", "v2", "v3"] })).toEqual([
      "w1-activate",
      "v1-activate",
      "v2-activate",
    ]);
    expect((await first({ declared: [] })).slice().sort()).toEqual([
      "v1-activate",
      "v2-activate",
      "v3-activate",
      "w1-activate",
    ]);
  });

  it("dials a voter that the probe did not reach only where its vote could change the answer", async () => {
    const registered = await startMocks(answers([]));
    const names = ["v1", "v2", "v3", "v4", "v5"];
    const live = ["v1", "v2", "v3", "v4"];
    const up = (some: readonly string[]) =>
      new Map(some.map((name) => [name, facts(name, some)] as const));
    const asked: string[][] = [];
    const voters = names.map((name) =>
      live.includes(name)
        ? task(name, NEEDED, { isVoter: true, facts: facts(name, live) })
        : task(name, WAITING, { isVoter: true }),
    );
    const lookAt = (some: readonly string[]): Promise<Map<string, Facts>> => {
      asked.push([...some]);
      return Promise.resolve(up(live));
    };
    await rollOut(voters, options({ lookAt, quorum: 3 }));
    expect(dialled(registered).filter((name) => name.endsWith("activate"))).toEqual(
      live.map((name) => `${name}-activate`),
    );
    // Before and after each of the four.
    expect(asked).toEqual(Array.from({ length: 8 }, () => live));
  });

  it("looks once more at everybody before it refuses: a voter may be back since the probe", async () => {
    const registered = await startMocks(answers([]));
    const names = ["v1", "v2", "v3"];
    const asked: string[][] = [];
    const voters = names.map((name) =>
      name === "v3"
        ? task(name, WAITING, { isVoter: true })
        : task(name, NEEDED, { isVoter: true, facts: facts(name, names) }),
    );
    const lookAt = (some: readonly string[]): Promise<Map<string, Facts>> => {
      asked.push([...some]);
      return Promise.resolve(new Map(some.map((name) => [name, facts(name, names)])));
    };
    await rollOut(voters, options({ lookAt }));
    expect(dialled(registered).filter((name) => name.endsWith("activate"))).toEqual([
      "v1-activate",
      "v2-activate",
    ]);
    expect(asked).toEqual([["v1", "v2"], names, names, names, names]);
  });

  it("starts a fleet that is entirely down without being held", async () => {
    const registered = await startMocks(answers([]));
    const voters = ["v1", "v2", "v3"].map((name) =>
      task(name, NEEDED, { isVoter: true, facts: facts(name, [], false) }),
    );
    await rollOut(voters, options());
    expect(dialled(registered).filter((name) => name.endsWith("activate"))).toEqual([
      "v1-activate",
      "v2-activate",
      "v3-activate",
    ]);
  });

  it("registers hosts in order without a wait, so that nothing is run for them", async () => {
    const registered = await startMocks(answers(["w1-activate"]));
    const results = await rollOut([task("w1", IN_ORDER)], options());
    await pulumi.runtime.disconnect();
    // Without a wait the input is whole: ignoreChanges keeps what the state holds.
    expect(dialled(registered)).toEqual(["w1-prepare", "w1-activate"]);
    expect(results.get("w1")).toEqual({
      prepare: { kind: "not run" },
      secrets: { kind: "not run" },
      join: { kind: "not run" },
      activate: { kind: "not run" },
      activateWork: IN_ORDER,
    });
  });

  it("keeps secrets in an input that is a secret as a whole", async () => {
    const registered = await startMocks((name) => ({
      stdout: verdict(name.endsWith("secrets") ? "secrets" : "activate"),
    }));
    const secrets = {
      spec: {
        node: "w1",
        agent: "a1",
        files: [{ path: "/etc/x", content: "planted", digest: "d", owner: "root" }],
      },
      work: NEEDED,
    };
    await rollOut([task("w1", NEEDED, { secrets })], options());
    const command = registered.find(({ name }) => name === "w1-secrets");
    expect(unwrapSecret(command?.inputs["stdin"])).toContain("planted");
    const others = registered.filter(({ name }) => name !== "w1-secrets");
    expect(JSON.stringify(others)).not.toContain("planted");
  });

  it("shows every restart in preview and waits for nobody", async () => {
    const registered = await startMocks(answers(["w1-activate"]), true);
    await rollOut([task("w1", NEEDED), task("w2", NEEDED)], options());
    await pulumi.runtime.disconnect();
    expect(dialled(registered).sort()).toEqual([
      "w1-activate",
      "w1-prepare",
      "w2-activate",
      "w2-prepare",
    ]);
  });
});
