import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Cipher } from "../../../lab/engine/crypto/passphrase";
import { Vault } from "../../../lab/engine/crypto/vault";
import { readDeployment, writeResource } from "../../../lab/engine/state/checkpoint";
import { cancelLocks, describeLock, findLocks, takeLock } from "../../../lab/engine/state/lock";
import { type ResourceState } from "../../../lab/engine/state/resource";
import { Saver } from "../../../lab/engine/state/saver";
import { mustWrite, Snapshot } from "../../../lab/engine/state/snapshot";
import { backendFolder, Store } from "../../../lab/engine/state/store";
import { secret } from "../../../lab/wire";

const id = { project: "p", stack: "s" };
let folder: string;
let vault: Vault;

beforeAll(async () => {
  vault = new Vault(await Cipher.create("pass"));
});

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "engine-state-"));
});

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function resource(name: string, fields: Partial<ResourceState> = {}): ResourceState {
  return { urn: `urn:pulumi:s::p::t:i:T::${name}`, custom: true, type: "t:i:T", ...fields };
}

const full: ResourceState = {
  ...resource("full"),
  id: "1",
  inputs: { a: secret({ b: [1, null] }), c: "d" },
  outputs: { e: secret("f") },
  parent: "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s",
  protect: true,
  dependencies: ["urn:pulumi:s::p::t:i:T::other"],
  initErrors: ["not ready"],
  provider: "urn:pulumi:s::p::pulumi:providers:t::default::1",
  propertyDependencies: { a: ["urn:pulumi:s::p::t:i:T::other"] },
  additionalSecretOutputs: ["e"],
  customTimeouts: { create: 90 },
  retainOnDelete: true,
  created: "2026-01-01T00:00:00Z",
  modified: "2026-01-02T00:00:00Z",
  ignoreChanges: ["*"],
  replaceOnChanges: ["a[*]"],
};

describe("a state file", () => {
  it("comes back as it went, with its secrets sealed and nobody else allowed to read it", () => {
    const store = new Store(folder);
    const saver = new Saver(vault, (text) => store.write(id, text));
    const pending = [
      { type: "creating" as const, resource: resource("pending", { inputs: { x: secret("y") } }) },
    ];
    store.write(id, saver.serialize([full], pending));
    const file = store.stackFile(id);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(path.relative(folder, file)).toBe(".pulumi/stacks/p/s.json");
    expect(fs.readFileSync(path.join(folder, ".pulumi", "meta.yaml"), "utf8")).toBe("version: 1\n");
    expect(fs.readFileSync(file, "utf8")).not.toMatch(/"f"|"y"/);
    expect(readDeployment(store.read(id), (value) => vault.open(value))).toEqual({
      resources: [full],
      pendingOperations: pending,
      salt: vault.salt,
    });
    expect(fs.readdirSync(path.dirname(file))).toEqual(["s.json"]);
  });

  it("of a stack without updates holds nothing", () => {
    const store = new Store(folder);
    store.write(id, undefined);
    expect(readDeployment(store.read(id), (value) => value)).toEqual({
      resources: [],
      pendingOperations: [],
    });
    expect(store.list("p")).toEqual(["s"]);
  });

  it.each([
    ["a newer format", { version: 4 }, "version 4 of the state format"],
    ["features", { version: 3, features: ["views"] }, "states with the features views"],
    ["no JSON", undefined, "is not a JSON object"],
  ])("with %s is refused", (_, document, message) => {
    const store = new Store(folder);
    fs.mkdirSync(path.dirname(store.stackFile(id)), { recursive: true });
    fs.writeFileSync(
      store.stackFile(id),
      document ? JSON.stringify(document) : "secret-looking text",
    );
    expect(() => store.read(id)).toThrow(message);
    expect(() => store.read(id)).not.toThrow("secret-looking");
  });

  it.each([
    [
      { resources: [{ ...resource("x"), deletedWith: "urn" }] },
      '"deletedWith", which urn:pulumi:s::p::t:i:T::x has',
    ],
    [{ resources: [{ ...resource("x"), viewOf: "urn" }] }, '"viewOf"'],
    [{ snippets: [{ a: 1 }] }, 'states with "snippets"'],
    [{ secrets_providers: { type: "cloud", state: {} } }, 'the secrets provider "cloud"'],
    [{ resources: [{}] }, "a resource without urn or type"],
    [{ resources: {} }, "a list in the state is not a list"],
  ])("is refused for what would be lost: %j", (raw, message) => {
    expect(() => readDeployment(raw, (value) => value)).toThrow(message);
  });

  it("leaves out what is empty, as the CLI does", () => {
    const empty = resource("x", { inputs: {}, dependencies: [], protect: false, id: "" });
    expect(writeResource(empty, (value) => value)).toBe(
      '{"urn":"urn:pulumi:s::p::t:i:T::x","custom":true,"type":"t:i:T"}',
    );
  });

  it("of no stack is told by its exit code", () => {
    expect(() => new Store(folder).read(id)).toThrow(
      expect.objectContaining({ exitCode: 6, message: "no stack named 's' found" }),
    );
  });
});

describe("backendFolder", () => {
  it.each([
    [{ PULUMI_BACKEND_URL: "file:///a/b" }, "/a/b"],
    [{ PULUMI_BACKEND_URL: "file://~/x" }, path.join(os.homedir(), "x")],
    [{}, os.homedir()],
  ])("%j", (environment, expected) => {
    expect(backendFolder(environment)).toBe(expected);
  });

  it("refuses other backends and does not show their credentials", () => {
    const environment = { PULUMI_BACKEND_URL: "s3://key:word@bucket" };
    expect(() => backendFolder(environment)).toThrow("the backend s3://bucket (only file://)");
  });
});

describe("Saver", () => {
  it("joins steps that end together into one write", async () => {
    const written: Buffer[][] = [];
    const saver = new Saver(vault, (text) => written.push(text));
    const snapshot = new Snapshot({ resources: [], pendingOperations: [] }, (it) => saver.save(it));
    await Promise.all(
      ["a", "b", "c"].map((name) =>
        snapshot.end(undefined, () => snapshot.replace(undefined, resource(name))),
      ),
    );
    expect([saver.writes, written.length]).toEqual([1, 1]);
    await snapshot.begin("deleting", snapshot.resources()[0] as ResourceState);
    expect(saver.writes).toBe(2);
    expect(JSON.parse(Buffer.concat(written[1] ?? []).toString())).toMatchObject({
      pending_operations: [{ type: "deleting" }],
    });
  });

  it("passes on a failed write", async () => {
    const saver = new Saver(vault, () => {
      throw new Error("disk full");
    });
    const snapshot = new Snapshot({ resources: [], pendingOperations: [] }, (it) => saver.save(it));
    await expect(snapshot.end(undefined, () => undefined)).rejects.toThrow("disk full");
  });
});

describe("Snapshot", () => {
  const nothing = (): Promise<void> => Promise.resolve();

  it("has what was settled before what is left", () => {
    const [a, b, c] = [resource("a"), resource("b"), resource("c")];
    const snapshot = new Snapshot({ resources: [a, b, c], pendingOperations: [] }, nothing);
    const next = { ...c, id: "2" };
    snapshot.replace(c, next);
    snapshot.remove(a);
    expect(snapshot.resources()).toEqual([next, b]);
    expect(snapshot.leftovers()).toEqual([b]);
  });

  it("keeps an old copy beside the new resource until it is deleted", () => {
    const old = resource("a", { id: "1" });
    const snapshot = new Snapshot({ resources: [old], pendingOperations: [] }, nothing);
    snapshot.keepForDeletion(old);
    snapshot.replace(undefined, { ...old, id: "2" });
    expect(snapshot.resources()).toEqual([
      { ...old, id: "2" },
      { ...old, delete: true },
    ]);
  });

  it("renames what leftovers refer to", () => {
    const provider = resource("prov", { id: "9" });
    const child = resource("child", {
      parent: provider.urn,
      dependencies: [provider.urn],
      propertyDependencies: { a: [provider.urn] },
      provider: `${provider.urn}::9`,
    });
    const snapshot = new Snapshot({ resources: [provider, child], pendingOperations: [] }, nothing);
    snapshot.replace(provider, { ...provider, urn: "new" });
    expect(snapshot.leftovers()).toEqual([
      {
        ...child,
        parent: "new",
        dependencies: ["new"],
        propertyDependencies: { a: ["new"] },
        provider: "new::9",
      },
    ]);
  });

  it("does not write for a resource that stayed the same", async () => {
    const writes = jest.fn(nothing);
    const old = resource("a", { inputs: { a: 1 }, ignoreChanges: [] });
    const snapshot = new Snapshot({ resources: [old], pendingOperations: [] }, writes);
    await snapshot.same(old, { ...old, ignoreChanges: ["*"], inputs: { a: 1 } });
    await snapshot.setOutputs(snapshot.resources()[0] as ResourceState, {});
    expect(writes).not.toHaveBeenCalled();
  });

  it.each<[keyof ResourceState, Partial<ResourceState>, boolean]>([
    ["inputs", { inputs: { a: 2 } }, true],
    ["provider", { provider: "other" }, true],
    ["dependencies", { dependencies: ["x"] }, true],
    ["retainOnDelete", { retainOnDelete: true }, true],
    ["customTimeouts", { customTimeouts: { create: 1 } }, true],
    ["retainOnDelete", { retainOnDelete: false }, false],
    ["ignoreChanges", { ignoreChanges: ["*"] }, false],
    ["modified", { modified: "2026-02-02T00:00:00Z" }, false],
  ])("writes for a changed %s (%j): %s", (_, fields, expected) => {
    const old = resource("a", { inputs: { a: 1 } });
    expect(mustWrite(old, { ...old, ...fields })).toBe(expected);
  });
});

describe("a lock", () => {
  it("keeps a second run out until it is released", () => {
    const lock = takeLock(folder, "s");
    expect(() => takeLock(folder, "s")).toThrow(
      new RegExp(
        `the stack s is locked by another run:\n .*\\(pid ${process.pid}\\).*that process is running`,
      ),
    );
    lock.release();
    takeLock(folder, "s").release();
    expect(findLocks(folder)).toEqual([]);
  });

  it("of a run that was killed here is removed, in words", () => {
    const gone = spawnSync("true").pid;
    const owner = { pid: gone, username: "u", hostname: os.hostname(), timestamp: "" };
    fs.writeFileSync(path.join(folder, "gone.json"), JSON.stringify(owner));
    fs.writeFileSync(
      path.join(folder, "else.json"),
      JSON.stringify({ ...owner, hostname: "elsewhere" }),
    );
    const warnings: string[] = [];
    expect(() => takeLock(folder, "s", (text) => warnings.push(text))).toThrow(
      `taken by u@elsewhere (pid ${gone})`,
    );
    expect(warnings).toEqual([
      `removed the lock of a killed run: taken by u@${os.hostname()} (pid ${gone}); that process is gone, so the run was killed: the lock is stale`,
    ]);
    fs.rmSync(path.join(folder, "else.json"));
    takeLock(folder, "s").release();
    expect(findLocks(folder)).toEqual([]);
  });

  it("is released by cancel, which says whose it was", () => {
    takeLock(folder, "s");
    expect(cancelLocks(folder).map((lock) => lock.owner.pid)).toEqual([process.pid]);
    expect(cancelLocks(folder)).toEqual([]);
  });

  it("that cannot be read counts all the same", () => {
    fs.writeFileSync(path.join(folder, "x.json"), "{");
    expect(() => takeLock(folder, "s")).toThrow("taken by unknown");
  });

  it.each([
    ["here", true, "taken by u@here (pid 7), 90 s ago; that process is running"],
    [
      "here",
      false,
      "taken by u@here (pid 7), 90 s ago; that process is gone, so the run was killed: the lock is stale",
    ],
    ["there", false, "taken by u@there (pid 7), 90 s ago"],
  ])("taken at %s (alive: %s)", (hostname, alive, expected) => {
    const owner = { pid: 7, username: "u", hostname, timestamp: "2026-01-01T00:00:00Z" };
    const here = {
      hostname: "here",
      now: Date.parse("2026-01-01T00:01:30Z"),
      isAlive: () => alive,
    };
    expect(describeLock(owner, here)).toBe(expected);
  });
});
