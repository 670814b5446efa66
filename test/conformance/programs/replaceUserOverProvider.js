module.exports = {
  about: "deleteBeforeReplace: false of the user wins over the provider's wish",
  ordered: true,
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }],
  program({ conf, step }) {
    const inputs = { identity: step, deleteFirst: true };
    new conf.Thing("thing", inputs, { deleteBeforeReplace: false });
  },
};
