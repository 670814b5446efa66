module.exports = {
  about: "a replace makes the new thing, moves dependents over, then deletes the old one",
  ordered: true,
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }],
  program({ conf, step }) {
    const first = new conf.Thing("first", { identity: step });
    const second = new conf.Thing("second", { value: first.id });
    return { second: second.computed };
  },
};
