module.exports = {
  about: "a failing update keeps the old inputs, so the next run sees the change again",
  steps: [{ run: "up" }, { run: "up", step: 2, says: ["will not change"] }, { run: "up", step: 3 }],
  program({ conf, step }) {
    const failing = step === 2 ? { failOn: ["update"], failText: "will not change" } : {};
    const first = new conf.Thing("first", { value: step, ...failing });
    new conf.Thing("second", { value: first.computed });
    return { first: first.computed };
  },
};
