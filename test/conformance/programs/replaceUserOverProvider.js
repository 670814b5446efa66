module.exports = {
  about: "deleteBeforeReplace: false of the user wins over the provider's wish",
  ordered: true,
  steps: [{ run: "up" }, { run: "up", step: 2 }],
  program({ conf, step }) {
    const inputs = { identity: step, deleteFirst: true };
    new conf.Thing("thing", inputs, { deleteBeforeReplace: false });
  },
};
