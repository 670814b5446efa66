module.exports = {
  about: "delete-first replace, asked for by the provider and by the user",
  ordered: true,
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }],
  program({ conf, step }) {
    const first = new conf.Thing("first", { identity: step, deleteFirst: true });
    new conf.Thing("second", { identity: step }, { deleteBeforeReplace: true, dependsOn: first });
  },
};
