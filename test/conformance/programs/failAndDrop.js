module.exports = {
  about: "a failure and a dropped thing in one run: nothing is deleted",
  steps: [{ run: "up" }, { run: "up", step: 2, says: ["will not change"] }, { run: "up", step: 3 }],
  program({ conf, step }) {
    const failing = step === 2 ? { failOn: ["update"], failText: "will not change" } : {};
    const first = new conf.Thing("first", { value: step, ...failing });
    if (step === 1) new conf.Thing("dropped", {}, { dependsOn: first });
    return { step };
  },
};
