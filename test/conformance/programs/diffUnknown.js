module.exports = {
  about: "a provider that cannot tell a difference: the engine compares the inputs itself",
  steps: [{ run: "up" }, { run: "up" }, { run: "preview", step: 2 }, { run: "up" }],
  program({ conf, step }) {
    new conf.Thing("thing", { diff: "unknown", value: { a: step } });
  },
};
