/** D1: what one host costs in the state, computed from the inputs that a fleet of 500 gives the engine. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { inventoryOf } from "../../bench/syntheticInventory";
import { planOutputs } from "../../components/outputs";
import { rollOut, type Task } from "../../components/rollout";
import { makeWishes, type Wish } from "../../components/tasks";
import { readConfig } from "../../config";
import { type Work } from "../../converge/work";
import { loadInventory } from "../../hosts/inventory";
import { isSecret, type Registered, startMocks, unwrapSecret } from "./mocks";

const HOSTS = 500;
const folder = mkdtempSync(join(tmpdir(), "state-size-"));
const keyFile = join(folder, "id_rsa");

const IN_ORDER: Work = { kind: "in-order" };
/** The most that a command's input ever says about drift: three edited files with long lines. */
const EDITS = Array.from({ length: 40 }, (_, index) => `-${index} ${"x".repeat(190)}`).join("\n");
const WORST: Work = {
  kind: "needed",
  nonce: "2026-01-01T00:00:00.000Z",
  drift: [1, 2, 3].map((file) => ({
    what: `/etc/ringrift/file-${file}`,
    want: "0123456789ab",
    is: "edited: 0123456789ab",
    detail: EDITS,
  })),
};

/** Bytes in the state: everything a resource has is there twice, as input and as output; secrets in base64. */
function bytesOf({ name, type, inputs }: Registered, verdict: string): number {
  // A component has no output, and a verdict about secret files one step.
  const stdout = type.startsWith("p2p:") ? "" : name.endsWith("-secrets") ? verdictOf(1) : verdict;
  const plain = Object.fromEntries(
    Object.entries(inputs).map(([key, value]) => [key, isSecret(value) ? sealed(value) : value]),
  );
  const frame = 900; // urn, id, type, parent, dependencies, times
  return frame + 2 * JSON.stringify(plain).length + JSON.stringify(stdout).length;
}

function sealed(value: unknown): object {
  const bytes = JSON.stringify(unwrapSecret(value)).length;
  return {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    ciphertext: "x".repeat(60 + Math.ceil((bytes * 4) / 3)),
  };
}

async function stateOf(wish: Wish, work: Work, stdout: string): Promise<number> {
  const registered = await startMocks(() => ({ stdout }));
  const task: Task = {
    name: wish.name,
    connection: { ...wish.target.connection, keyPath: keyFile },
    isVoter: wish.isVoter,
    prepare: { spec: wish.prepare, work },
    secrets: wish.secrets && { spec: wish.secrets, work },
    activate: { spec: wish.activate, work },
    facts: undefined,
    contents: wish.contents,
    warnings: [],
  };
  await rollOut([task], {
    maxParallel: 8,
    allowQuorumLoss: true,
    quorum: 1,
    voterReturnMilliseconds: 1,
    lookAt: () => Promise.resolve(new Map()),
  });
  return registered.reduce((sum, one) => sum + bytesOf(one, stdout), 0);
}

const verdictOf = (steps: number): string =>
  JSON.stringify({
    ...{ phase: "prepare", node: "n", ok: true, outcome: "ok", runId: "r", at: "", notes: [] },
    steps: Array.from({ length: steps }, (_, index) => ({
      name: `step ${index}`,
      status: "changed",
      before: "x".repeat(60),
      after: "y".repeat(60),
      ms: 1,
    })),
  });

describe("the state of one host of 500", () => {
  const text = inventoryOf(HOSTS);
  const inventory = loadInventory(text, "hosts.yaml");
  const plan = inventory.plan;
  if (!plan) throw new Error("no plan");
  const token = { text: "t".repeat(64), digest: "d".repeat(32) };
  const wishes = makeWishes(plan, {
    config: readConfig(new pulumi.Config("none")),
    inventory: text,
    token,
  });
  const largest = wishes.reduce((a, b) =>
    JSON.stringify([a.prepare, a.activate]).length > JSON.stringify([b.prepare, b.activate]).length
      ? a
      : b,
  );

  beforeAll(() => {
    // ssh-keygen's own length for RSA; an Ed25519 key is a sixth of that.
    const { privateKey } = generateKeyPairSync("rsa", {
      modulusLength: 3072,
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
      publicKeyEncoding: { type: "pkcs1", format: "pem" },
    });
    writeFileSync(keyFile, privateKey);
    for (const method of ["warn", "error", "info"] as const)
      jest.spyOn(console, method).mockImplementation(() => undefined);
  });
  afterEach(() => pulumi.runtime.disconnect());
  afterAll(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  it("does not hold the inventory, which is staged", () => {
    expect(text.length).toBeGreaterThan(200_000);
    expect(JSON.stringify([largest.prepare, largest.activate])).not.toContain("gpu_vram_gb");
    expect([...largest.contents.values()]).toEqual([text]);
  });

  it("has 40 KB where all is in order, its share of the outputs included", async () => {
    const share =
      JSON.stringify(planOutputs(plan, inventory, { nodes: {}, entry: null })).length / HOSTS;
    expect((await stateOf(largest, IN_ORDER, verdictOf(12))) + share).toBeLessThan(40 * 1024);
  });

  it("never has more than 64 KB: with much drift to show, long verdicts and long keys", async () => {
    // What the agent cuts a verdict to: MOST_OF_VERDICT in journal.py.
    const stdout = verdictOf(19);
    expect(stdout.length).toBeGreaterThan(3_600);
    expect(await stateOf(largest, WORST, stdout)).toBeLessThan(64 * 1024);
  });
});
