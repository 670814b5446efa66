module.exports = {
  about: "a failing update and a dropped thing with --continue-on-error",
  steps: [
    { run: "up" },
    {
      run: "up",
      step: 2,
      args: ["--skip-preview", "--continue-on-error"],
      says: ["will not change"],
    },
    { run: "up", step: 3 },
  ],
  program({ conf, step }) {
    const failing = step === 2 ? { failOn: ["update"], failText: "will not change" } : {};
    const first = new conf.Thing("first", { value: step, ...failing });
    new conf.Thing("second", { value: step });
    if (step === 1) new conf.Thing("dropped", {});
    return { first: first.computed, step };
  },
};
