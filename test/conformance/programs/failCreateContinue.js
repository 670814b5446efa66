module.exports = {
  about: "a failing create with --continue-on-error: the independent go on, dependents do not",
  steps: [
    { run: "up", args: ["--skip-preview", "--continue-on-error"], says: ["quota is used up"] },
    { run: "up", step: 2 },
  ],
  program({ conf, step }) {
    const failing = step === 1 ? { failOn: ["create"], failText: "quota is used up" } : {};
    const bad = new conf.Thing("bad", failing);
    const needy = new conf.Thing("needy", { value: bad.computed });
    const good = new conf.Thing("good", { slow: 150 });
    const better = new conf.Thing("better", { value: good.computed });
    return { better: better.computed, needy: needy.computed, fixed: "value" };
  },
};
