import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARCHIVE, ASSET, SIGNATURE_KEY, type ValueMap } from "../../../../lab/wire";
import { failure, ProviderUnderTest } from "../client";
import { FakeEngine } from "../fakeEngine";
import { connectionTo, copy, ours } from "./executable";
import { SshServer } from "./sshServer";

let engine: FakeEngine;
let provider: ProviderUnderTest;
let server: SshServer;
let dir: string;

const password = "pass-word-1";
const file = (path: string, hash = "h") => ({ [SIGNATURE_KEY]: ASSET, path, hash });
const text = (content: string, hash = "h") => ({ [SIGNATURE_KEY]: ASSET, text: content, hash });
const folder = (path: string, hash = "h") => ({ [SIGNATURE_KEY]: ARCHIVE, path, hash });

beforeAll(async () => {
  engine = await FakeEngine.start();
  server = await SshServer.start({ password });
  provider = await (await ProviderUnderTest.start(ours, engine)).configure();
});

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "copy-to-remote-"));
  mkdirSync(join(dir, "source/inner"), { recursive: true });
  mkdirSync(join(dir, "there"));
  writeFileSync(join(dir, "source/a"), "A");
  writeFileSync(join(dir, "source/inner/b"), "B");
  writeFileSync(join(dir, "old"), "old and longer");
});

afterEach(() => rmSync(dir, { recursive: true }));

afterAll(async () => {
  await provider.stop();
  await server.stop();
  engine.stop();
});

const read = (path: string) => readFileSync(join(dir, path), "utf8");

async function create(source: object, remotePath: string) {
  const connection = connectionTo(server.port, { password });
  const inputs = { connection, source: source as never, remotePath: join(dir, remotePath) };
  const result = await provider.create(copy, inputs);
  await server.allClosed();
  return { ...result, inputs };
}

describe("remote.CopyToRemote", () => {
  it("copies a file into folders that it makes", async () => {
    const { id, inputs, outputs } = await create(file(join(dir, "source/a")), "new/deep/file");
    expect(id).toMatch(/^[0-9a-f]{8}$/);
    expect(outputs).toEqual(inputs);
    expect(read("new/deep/file")).toBe("A");
  });

  it("copies a file into a folder that is there, and over a file that is there", async () => {
    await create(file(join(dir, "source/a")), "there");
    await create(file(join(dir, "source/a")), "old");
    expect([read("there/a"), read("old")]).toEqual(["A", "A"]);
  });

  it("copies a text, but not onto a folder", async () => {
    await create(text("ä\n"), "new/file");
    expect(read("new/file")).toBe("ä\n");
    const error = await failure(create(text("x"), "there"));
    expect(error.details).toBe(
      `remote path ${dir}/there is a directory; when using a text asset, remotePath must be a file path`,
    );
  });

  it("copies a folder by name, and its entries when it is written with a slash", async () => {
    await create(folder(join(dir, "source")), "there");
    await create(folder(join(dir, "source/")), "entries");
    await create(folder(join(dir, "source/")), "there");
    expect(["there/source/a", "entries/inner/b", "there/inner/b"].map(read)).toEqual([
      "A",
      "B",
      "B",
    ]);
  });

  it("copies a file of several megabytes", async () => {
    const big = Buffer.alloc(5_000_000, "0123456789");
    writeFileSync(join(dir, "source/big"), big);
    await create(file(join(dir, "source/big")), "big");
    expect(readFileSync(join(dir, "big")).equals(big)).toBe(true);
  });

  it("does not put a folder where a file is", async () => {
    expect((await failure(create(folder(join(dir, "source/")), "old"))).details).toBe(
      `remote path ${dir}/old exists but is not a directory`,
    );
    await server.allClosed();
  });

  it("copies again when the content or the path changed, and not for a new connection", async () => {
    const { id, inputs } = await create(text("one", "h1"), "file");
    const update = (news: object) =>
      provider.update(copy, id, inputs, inputs, { ...inputs, ...news } as never);
    writeFileSync(join(dir, "file"), "touched");
    const before = server.connections;
    await update({ connection: connectionTo(server.port, { password, user: "x" }) });
    expect([read("file"), server.connections]).toEqual(["touched", before]);
    await update({ source: text("two", "h2") });
    await update({ remotePath: join(dir, "moved") });
    expect([read("file"), read("moved")]).toEqual(["two", "one"]);
  });

  it("does not dial in a preview", async () => {
    const inputs = { connection: connectionTo(1), source: text("x"), remotePath: "/x" };
    expect(await provider.create(copy, inputs, { preview: true })).toEqual({
      id: "",
      outputs: inputs,
    });
  });

  it("checks its source", async () => {
    const check = async (source?: object) => {
      const { failures } = await provider.check(copy, {
        connection: { host: "192.0.2.1" },
        remotePath: "/x",
        ...((source ? { source } : {}) as ValueMap),
      });
      return failures;
    };
    expect(await check(file("/x"))).toEqual([]);
    expect(await check(text(""))).toEqual([]);
    expect(await check(folder("/x"))).toEqual([]);
    expect(await check()).toEqual([
      {
        property: "source",
        reason: "Missing required field 'source' on 'remote.CopyToRemoteInputs'",
      },
    ]);
    expect(
      await check({ [SIGNATURE_KEY]: ASSET, uri: "https://example.com/x", hash: "h" }),
    ).toEqual([
      { property: "asset", reason: "asset must be a path-based file asset or a text asset" },
    ]);
    expect(await check({ [SIGNATURE_KEY]: ARCHIVE, assets: {}, hash: "h" })).toEqual([
      { property: "archive", reason: "archive must be a path to a file or directory" },
    ]);
  });
});
