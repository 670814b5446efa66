module.exports = {
  about: "delete-first replace of a thing on which others stand",
  ordered: true,
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }, { run: "preview" }],
  program({ conf, step }) {
    const base = new conf.Thing("base", { identity: step }, { deleteBeforeReplace: true });
    const bound = new conf.Thing("bound", { identity: base.id });
    new conf.Thing("loose", { value: base.id }, { dependsOn: bound });
  },
};
