module.exports = {
  about:
    "the old half of a replace cannot be deleted: it stays in the state until a run gets rid of it",
  steps: [
    { run: "up" },
    { run: "up", step: 2, says: ["still in use"] },
    { run: "preview", step: 2 },
    { run: "up", step: 2, says: ["still in use"] },
  ],
  program({ conf, step }) {
    const failing = step === 1 ? { failOn: ["delete"], failText: "still in use" } : {};
    const first = new conf.Thing("first", { identity: step, ...failing });
    new conf.Thing("second", { value: first.id });
    return { first: first.id };
  },
};
