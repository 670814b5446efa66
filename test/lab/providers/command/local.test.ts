import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { ARCHIVE, ASSET, isMap, secret, SIGNATURE_KEY, UNKNOWN } from "../../../../lab/wire";
import { failure, ProviderUnderTest, until } from "../client";
import { FakeEngine } from "../fakeEngine";
import { local, ours } from "./executable";

let engine: FakeEngine;
let provider: ProviderUnderTest;
let dir: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "local-command-"));
  engine = await FakeEngine.start();
  provider = await (await ProviderUnderTest.start(ours, engine)).configure();
});

afterEach(async () => {
  await provider.stop();
  engine.stop();
  rmSync(dir, { recursive: true });
});

/** True while a process with this id exists. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("local.Command", () => {
  it("runs in its folder with its environment and stdin", async () => {
    const inputs = {
      create: 'pwd; cat; echo "$A|$PULUMI_COMMAND_STDOUT" >&2',
      dir,
      environment: { A: "1 2" },
      stdin: "in\n",
    };
    const { id, outputs } = await provider.create(local, inputs);
    expect(id).toMatch(/^it[0-9a-f]{8}$/);
    expect(outputs).toEqual({ ...inputs, stdout: `${dir}\nin`, stderr: "1 2|" });
  });

  it("takes another interpreter", async () => {
    const interpreter = [process.execPath, "-e"];
    const { outputs } = await provider.create(local, { create: "console.log(1 + 1)", interpreter });
    expect(outputs["stdout"]).toBe("2");
  });

  it("offers what was printed last to update and delete, unless told not to", async () => {
    const olds = {
      create: "a",
      stdout: "o",
      stderr: "e",
      delete: `echo $PULUMI_COMMAND_STDERR > ${dir}/bye`,
    };
    const news = { create: "echo $PULUMI_COMMAND_STDOUT" };
    expect(await provider.update(local, "it1", olds, {}, news)).toEqual({
      ...news,
      stdout: "o",
      stderr: "",
    });
    const silent = { ...news, addPreviousOutputInEnv: false };
    expect(await provider.update(local, "it1", olds, {}, silent)).toEqual({
      ...silent,
      stdout: "",
      stderr: "",
    });
    await provider.delete(local, "it1", olds);
    expect(readFileSync(join(dir, "bye"), "utf8")).toBe("e\n");
  });

  it("runs nothing in a preview", async () => {
    const inputs = { create: `touch ${dir}/ran` };
    expect((await provider.create(local, inputs, { preview: true })).outputs).toEqual({
      ...inputs,
      stdout: UNKNOWN,
      stderr: UNKNOWN,
    });
    expect(() => readFileSync(join(dir, "ran"))).toThrow("ENOENT");
  });

  it.each([
    [{ create: "echo out; exit 3" }, 'exit status 3: running "echo out; exit 3":\nout\n'],
    [{ create: "kill -9 $$" }, 'signal: killed: running "kill -9 $$":\n'],
    [{ create: "x", dir: "/no/such" }, 'chdir /no/such: no such file or directory: running "x":\n'],
    [
      { create: "x", interpreter: ["no-such-program"] },
      'exec: "no-such-program": executable file not found in $PATH: running "x":\n',
    ],
    [{ create: secret("echo planted; exit 1") }, 'exit status 1: running "[secret]":\nplanted\n'],
    [
      { create: "cat; exit 1", stdin: secret("planted-1") },
      'exit status 1: running "cat; exit 1":\n[secret]',
    ],
  ])("%j fails in so many words", async (inputs, text) => {
    const error = await failure(provider.create(local, inputs));
    expect([error.code, error.details]).toEqual([status.UNKNOWN, text]);
  });

  it("returns files that match, as assets and as an archive", async () => {
    const create = "mkdir -p a/b; echo 1 > a/b/x.txt; echo 2 > a/secret.txt; echo 3 > top.txt";
    const inputs = { create, dir, assetPaths: ["a/**", "!**secret*"], archivePaths: ["*.txt"] };
    const { outputs } = await provider.create(local, inputs);
    // printf '1\n' | sha256sum
    const hash = "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865";
    expect(outputs["assets"]).toEqual({
      "a/b/x.txt": { [SIGNATURE_KEY]: ASSET, hash, path: `${dir}/a/b/x.txt` },
    });
    const archive = outputs["archive"];
    if (!isMap(archive)) throw new Error("no archive");
    expect([archive[SIGNATURE_KEY], Object.keys(archive["assets"] as object)]).toEqual([
      ARCHIVE,
      ["top.txt"],
    ]);
  });

  it("leaves a process running that the command put into the background", async () => {
    const create = "sleep 600 >/dev/null 2>&1 & echo $!";
    const { outputs } = await provider.create(local, { create });
    const pid = Number(outputs["stdout"]);
    await provider.stop();
    expect(isAlive(pid)).toBe(true);
    process.kill(pid);
  });
});

describe("what a local command started", () => {
  const create = "echo $$; sleep 600 & echo $!; wait";

  it.each(["cancel", "SIGINT", "SIGKILL", "stdin"] as const)("ends with %s", async (how) => {
    const call = failure(provider.create(local, { create }));
    await until(() => engine.lines.length >= 2);
    const pids = engine.take().map(({ text }) => Number(text));
    expect(pids.map(isAlive)).toEqual([true, true]);
    if (how === "cancel") await provider.cancel();
    else if (how === "stdin") provider.process.stdin?.end();
    else provider.process.kill(how);
    await until(() => !pids.some(isAlive));
    expect((await call).code).toBe(how === "cancel" ? status.CANCELLED : status.UNAVAILABLE);
  });
});

describe("local.run", () => {
  it("runs the command and returns its arguments with what it printed", async () => {
    expect(await provider.invoke("command:local:run", { command: "echo hi" })).toEqual({
      result: { command: "echo hi", stdout: "hi", stderr: "" },
      failures: [],
    });
  });

  it("says which argument is missing", async () => {
    expect(await provider.invoke("command:local:run", { stdin: "x" })).toEqual({
      result: {},
      failures: [
        { property: "command", reason: "Missing required field 'command' on 'local.RunInputs'" },
      ],
    });
  });
});
