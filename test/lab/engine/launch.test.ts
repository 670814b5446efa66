import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { chooseEngine, neededPlugins, type Surroundings } from "../../../lab/engine/launch/choose";

let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "engine-launch-"));
  write("project/package.json", {
    dependencies: { "@pulumi/pulumi": "1", "@pulumi/command": "1.2.1", zod: "4" },
  });
  write("project/node_modules/@pulumi/command/package.json", {
    version: "1.2.1",
    pulumi: { resource: true, name: "command", version: "1.2.1" },
  });
  executable("own/pulumi");
  executable("own/pulumi-resource-command");
});

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: unknown): void {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(content));
}

function executable(name: string, text = "#!/bin/sh\n"): void {
  write(name, "");
  fs.writeFileSync(path.join(folder, name), text);
  fs.chmodSync(path.join(folder, name), 0o755);
}

function around(environment: NodeJS.ProcessEnv, version?: string): Surroundings {
  return {
    environment: {
      PULUMI_HOME: path.join(folder, "home"),
      PATH: ["own", "real"].map((name) => path.join(folder, name)).join(path.delimiter),
      ...environment,
    },
    folder: path.join(folder, "project"),
    ownFolder: path.join(folder, "own"),
    versionOf: () => Promise.resolve(version),
  };
}

function installRealCli(): void {
  executable("real/pulumi");
  executable("real/pulumi-language-nodejs");
}

describe("chooseEngine", () => {
  it("runs itself where there is no CLI", async () => {
    expect(await chooseEngine(around({}))).toEqual({
      engine: "embedded",
      reason: "there is no Pulumi CLI on PATH",
    });
  });

  it("does not take another copy of itself for the CLI", async () => {
    executable(
      "real/pulumi",
      '#!/usr/bin/env node\nrequire(bundle("lab/engine/launch/launcher.ts"));\n',
    );
    expect(await chooseEngine(around({}))).toEqual({
      engine: "embedded",
      reason: "there is no Pulumi CLI on PATH",
    });
  });

  it("does not count its own providers for the CLI's", async () => {
    installRealCli();
    expect(await chooseEngine(around({}, "v3"))).toEqual({
      engine: "embedded",
      reason: "the plugin command 1.2.1 is not installed",
    });
  });

  it("runs itself where the language host is missing or the CLI does not answer", async () => {
    installRealCli();
    executable("real/pulumi-resource-command");
    expect((await chooseEngine(around({}))).reason).toMatch(/pulumi did not answer within 20 s$/);
    fs.rmSync(path.join(folder, "real/pulumi-language-nodejs"));
    expect(await chooseEngine(around({}, "v3"))).toEqual({
      engine: "embedded",
      reason: "pulumi-language-nodejs is not installed",
    });
  });

  it.each(["real/pulumi-resource-command", "home/plugins/resource-command-v1.2.1/x"])(
    "takes the CLI when the plugin is at %s",
    async (plugin) => {
      installRealCli();
      executable(plugin);
      const cli = path.join(folder, "real/pulumi");
      expect(await chooseEngine(around({}, "v3.1.0"))).toEqual({
        engine: "pulumi",
        reason: `${cli} v3.1.0 has every plugin`,
        executable: cli,
      });
    },
  );

  it("obeys PULUMI_ENGINE", async () => {
    installRealCli();
    expect(await chooseEngine(around({ PULUMI_ENGINE: "embedded" }))).toEqual({
      engine: "embedded",
      reason: "PULUMI_ENGINE=embedded",
    });
    expect(await chooseEngine(around({ PULUMI_ENGINE: "pulumi" }))).toEqual({
      engine: "pulumi",
      reason: "PULUMI_ENGINE=pulumi",
      executable: path.join(folder, "real/pulumi"),
    });
    await expect(chooseEngine(around({ PULUMI_ENGINE: "x" }))).rejects.toThrow(
      'PULUMI_ENGINE: expected auto, pulumi or embedded, got "x"',
    );
    fs.rmSync(path.join(folder, "real/pulumi"));
    await expect(chooseEngine(around({ PULUMI_ENGINE: "pulumi" }))).rejects.toThrow(
      "PULUMI_ENGINE=pulumi, but there is no Pulumi CLI on PATH",
    );
  });
});

describe("neededPlugins", () => {
  it("are the dependencies that come with one", () => {
    write("project/package.json", {
      dependencies: {
        "@pulumi/pulumi": "1",
        "@pulumi/command": "1.2.1",
        "@pulumi/missing": "^2.0.0",
        "@pulumi/helper": "1",
      },
    });
    write("project/node_modules/@pulumi/helper/package.json", { version: "1.0.0" });
    expect(neededPlugins(path.join(folder, "project"))).toEqual([
      { name: "command", version: "1.2.1" },
      { name: "missing", version: "^2.0.0" },
    ]);
  });

  it("are none without a package.json", () => {
    expect(neededPlugins(path.join(folder, "home"))).toEqual([]);
  });
});
