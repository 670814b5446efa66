module.exports = {
  about: "a failing create stops the run; what was made stays, the next run makes the rest",
  steps: [
    { run: "up", says: ["quota is used up"] },
    { run: "up", step: 2 },
  ],
  program({ conf, step }) {
    const first = new conf.Thing("first", {});
    const failing = step === 1 ? { failOn: ["create"], failText: "quota is used up" } : {};
    const second = new conf.Thing("second", failing, { dependsOn: first });
    const third = new conf.Thing("third", { value: second.computed });
    return { first: first.computed, third: third.computed };
  },
};
