module.exports = {
  about: "made or changed, but not ready: kept with its reasons, and updated by the next run",
  steps: [
    { run: "up", says: ["no answer on 8770"] },
    { run: "preview", step: 2 },
    { run: "up", step: 2 },
    { run: "up", step: 3, says: ["no answer on 8770"] },
    { run: "up", step: 4 },
  ],
  program({ conf, step }) {
    const failing = step % 2 === 1 ? { failOn: ["partial"], failText: "no answer on 8770" } : {};
    const first = new conf.Thing("first", { value: step, ...failing });
    new conf.Thing("second", { value: first.computed });
    return { first: first.computed };
  },
};
