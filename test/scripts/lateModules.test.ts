import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(__dirname, "..", "..");

/** Runs a script in a node of its own, since this one has the modules already. @returns what it printed as JSON */
function inNode(script: string): unknown {
  const argv = ["--require", "./scripts/transpile.js", "--eval", script];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: root,
    encoding: "utf8",
  });
  // What packs functions looks at all of node's own modules, and node warns of some: stderr is not empty.
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** In that node: whether the compiler and the tree of packages have been loaded, not only been promised. */
const LOADED = `const loaded = () => ["typescript/lib/typescript.js", "@npmcli/arborist/lib/node.js"].map(
  (name) => Object.keys(require.cache).some((file) => file.endsWith("/node_modules/" + name)));`;

describe("what the SDK loads late", () => {
  it("is not there when a program starts", () => {
    expect(
      inNode(`${LOADED} require("@pulumi/pulumi"); console.log(JSON.stringify(loaded()))`),
    ).toEqual([false, false]);
  });

  it("comes when the SDK asks for it: a function is packed as ever", () => {
    const text = inNode(`${LOADED}
      const { runtime } = require("@pulumi/pulumi");
      const answer = 42;
      runtime.serializeFunction(() => answer)
        .then(({ text }) => console.log(JSON.stringify([loaded()[0], text.includes("42")])));`);
    expect(text).toEqual([true, true]);
  });

  it("is the module itself for whoever asks later", () => {
    expect(
      inNode(`${LOADED} require("@pulumi/pulumi");
        const late = require("@npmcli/arborist");
        const { Arborist } = late;
        console.log(JSON.stringify(["Arborist" in late, require("@npmcli/arborist") === Arborist, loaded()[1]]))`),
    ).toEqual([true, true, true]);
  });
});
