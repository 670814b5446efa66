module.exports = {
  about: "a failing delete keeps the thing in the state, and what it stands on",
  ordered: true,
  steps: [
    { run: "up" },
    { run: "up", step: 2, says: ["still in use"] },
    { run: "destroy", says: ["still in use"] },
    { run: "up", step: 3 },
    { run: "destroy" },
  ],
  program({ conf, step }) {
    const failing = step === 3 ? {} : { failOn: ["delete"], failText: "still in use" };
    if (step === 2) return { step };
    const base = new conf.Thing("base", {});
    new conf.Thing("stuck", { value: base.id, ...failing });
    return { step };
  },
};
