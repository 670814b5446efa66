module.exports = {
  about: "a TypeScript program, run through ts-node as it stands",
  source: "typescript.ts",
  steps: [{ run: "preview" }, { run: "up" }, { run: "outputs" }],
};
