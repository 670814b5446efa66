import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Cipher } from "../../../lab/engine/crypto/passphrase";
import {
  configText,
  loadProject,
  normalizeKey,
  readProject,
  splitArguments,
} from "../../../lab/engine/project/project";
import {
  editStackFile,
  openConfig,
  readPassphrase,
  readStackFile,
} from "../../../lab/engine/project/stackConfig";
import { parseStackName, resolveStack, selectStack } from "../../../lab/engine/project/workspace";
import { Store } from "../../../lab/engine/state/store";

let folder: string;
let cipher: Cipher;

beforeAll(async () => {
  cipher = await Cipher.create("pass");
});

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "engine-project-"));
});

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return file;
}

describe("loadProject", () => {
  it("finds Pulumi.yaml above the folder and reads what steers the program", () => {
    write(
      "Pulumi.yaml",
      [
        "name: demo",
        "runtime: { name: nodejs, options: { typescript: false, nodeargs: '--a \"b c\"' } }",
        "main: src",
        "stackConfigDir: stacks",
        "config: { size: { type: integer, default: 3 }, aws:region: { type: string }, plain: x }",
      ].join("\n"),
    );
    fs.mkdirSync(path.join(folder, "src", "deep"), { recursive: true });
    expect(loadProject(path.join(folder, "src", "deep"))).toEqual({
      name: "demo",
      root: folder,
      file: path.join(folder, "Pulumi.yaml"),
      programFolder: path.join(folder, "src"),
      entryPoint: ".",
      nodeArgs: ["--a", "b c"],
      typescript: false,
      tsconfig: undefined,
      stackConfigFolder: path.join(folder, "stacks"),
      config: {
        "demo:size": { required: false, value: "3", secret: false, type: "integer" },
        "aws:region": { required: true, value: undefined, secret: false, type: "string" },
        "demo:plain": { required: false, value: "x", secret: false },
      },
    });
  });

  it("says where it looked when there is none", () => {
    expect(() => loadProject(folder)).toThrow(`no Pulumi.yaml project file found in ${folder}`);
  });

  it.each([
    ["name: demo\nruntime: python", 'the runtime "python"'],
    ["name: demo\nruntime: nodejs\nplugins: {}", '"plugins" in Pulumi.yaml'],
    ["name: demo\nruntime: nodejs\noptions: { refresh: always }", "options.refresh"],
    ["name: a/b\nruntime: nodejs", "name must be letters"],
    ["- a", "expected a map"],
    ["a: [", "Pulumi.yaml: "],
  ])("refuses %j", (text, message) => {
    expect(() => readProject("Pulumi.yaml", text)).toThrow(message);
  });
});

describe("normalizeKey", () => {
  it.each([
    ["a", "p:a"],
    ["ns:a", "ns:a"],
    ["ns:config:a", "ns:a"],
  ])("%s: %s", (key, expected) => {
    expect(normalizeKey("p", key)).toBe(expected);
  });

  it("refuses what is no key", () => {
    expect(() => normalizeKey("p", "a:b:c")).toThrow('"a:b:c" is not a configuration key');
  });
});

describe("configText", () => {
  it.each([
    [1, "1"],
    [true, "true"],
    ["x", "x"],
    [null, ""],
    [{ a: [1] }, '{"a":[1]}'],
  ])("%j: %s", (value, expected) => {
    expect(configText(value)).toBe(expected);
  });
});

describe("splitArguments", () => {
  it.each([
    ["", []],
    ["--require a", ["--require", "a"]],
    [`--a='b c' "d e"`, ["--a=b c", "d e"]],
  ])("%s", (text, expected) => {
    expect(splitArguments(text)).toEqual(expected);
  });
});

describe("openConfig", () => {
  const project = readProject(
    "/x/Pulumi.yaml",
    "name: p\nruntime: nodejs\nconfig: { a: { default: 1 }, b: { type: string }, c: { default: s, secret: true } }",
  );

  it("joins defaults and settings and opens secrets, nested ones too", () => {
    const sealed = cipher.encrypt("hidden");
    const config = {
      "p:b": "own",
      "p:list": [{ secure: sealed }, 2],
      "q:token": { secure: sealed },
    };
    expect(openConfig(project, { file: "", salt: cipher.salt, config }, cipher)).toEqual({
      values: {
        "p:a": "1",
        "p:b": "own",
        "p:c": "s",
        "p:list": '["hidden",2]',
        "q:token": "hidden",
      },
      secretKeys: ["p:list", "q:token", "p:c"],
    });
  });

  it("takes no JSON in a text for an object, as the CLI does not", () => {
    const typed = readProject(
      "/x/Pulumi.yaml",
      "name: p\nruntime: nodejs\nconfig: { o: { type: object, default: {} } }",
    );
    const open = (value: unknown) =>
      openConfig(typed, { file: "", salt: undefined, config: { "p:o": value } }, undefined).values;
    expect(open({ a: 1 })).toEqual({ "p:o": '{"a":1}' });
    expect(() => open('{"a":1}')).toThrow(
      "validating stack config: configuration key 'o' must be of type 'object'",
    );
  });

  it("names what is declared and missing", () => {
    expect(() => openConfig(project, { file: "", salt: undefined, config: {} }, undefined)).toThrow(
      "missing configuration: p:b, declared in /x/Pulumi.yaml without a default; set it with `pulumi config set`",
    );
  });
});

describe("a settings file", () => {
  it("keeps comments and everything else when one value changes", () => {
    const file = write("Pulumi.s.yaml", "# why\nencryptionsalt: v1:x\nconfig:\n  p:a: 1 # one\n");
    editStackFile(file, (document) => document.setIn(["config", "p:b"], { secure: "v1:y" }));
    expect(fs.readFileSync(file, "utf8")).toBe(
      "# why\nencryptionsalt: v1:x\nconfig:\n  p:a: 1 # one\n  p:b:\n    secure: v1:y\n",
    );
  });

  it("is made where there is none", () => {
    const file = path.join(folder, "Pulumi.s.yaml");
    editStackFile(file, (document) => document.setIn(["config", "p:a"], "1"));
    expect(readStackFile(file)).toEqual({ file, salt: undefined, config: { "p:a": "1" } });
  });

  it.each([
    ["environment: [a]", '"environment" (ESC)'],
    ["secretsprovider: awskms://k", 'the secrets provider "awskms://k"'],
  ])("is refused with %s", (text, message) => {
    expect(() => readStackFile(write("Pulumi.s.yaml", text))).toThrow(message);
  });
});

describe("readPassphrase", () => {
  it("takes the variable before the file, and an empty one as given", () => {
    const file = write("pass", "from-file\n");
    expect(readPassphrase({ PULUMI_CONFIG_PASSPHRASE: "" })).toBe("");
    expect(readPassphrase({ PULUMI_CONFIG_PASSPHRASE_FILE: file })).toBe("from-file");
    expect(() => readPassphrase({ PULUMI_CONFIG_PASSPHRASE_FILE: "/none" })).toThrow(
      "/none does not exist",
    );
    expect(() => readPassphrase({})).toThrow("passphrase must be set");
  });
});

describe("the stack a command is about", () => {
  it("is the one named, else the environment's, else the one selected", () => {
    const project = readProject(path.join(folder, "Pulumi.yaml"), "name: p\nruntime: nodejs");
    const store = new Store(folder);
    const environment = { PULUMI_HOME: path.join(folder, "home") };
    expect(() => resolveStack(project, store, environment, undefined)).toThrow("no stack selected");
    selectStack(project, store, environment, "chosen");
    const resolve = (extra: object, given?: string): string =>
      resolveStack(project, store, { ...environment, ...extra }, given).stack;
    expect(resolve({})).toBe("chosen");
    expect(resolve({ PULUMI_STACK: "env" })).toBe("env");
    expect(resolve({ PULUMI_STACK: "env" }, "organization/p/given")).toBe("given");
    selectStack(project, store, environment, undefined);
    expect(() => resolve({})).toThrow("no stack selected");
  });

  it.each([
    ["a b", "is not a stack name"],
    ["me/s", 'is always "organization"'],
    ["organization/other/s", 'belongs to the project "other"'],
  ])("is not %s", (text, message) => {
    expect(() => parseStackName("p", text)).toThrow(message);
  });
});
