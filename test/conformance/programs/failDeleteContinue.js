module.exports = {
  about:
    "a failing delete with --continue-on-error: the others go, what the stuck one stands on stays",
  steps: [
    { run: "up" },
    { run: "up", step: 2, args: ["--skip-preview", "--continue-on-error"], says: ["still in use"] },
    { run: "up", step: 3 },
    { run: "destroy", args: ["--continue-on-error"], says: ["still in use"] },
  ],
  program({ conf, step }) {
    if (step === 2) return { step };
    const base = new conf.Thing("base", {});
    new conf.Thing("stuck", { value: base.id, failOn: ["delete"], failText: "still in use" });
    new conf.Thing("free", {});
    return { step };
  },
};
