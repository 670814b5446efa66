module.exports = {
  about: "process.exitCode: outputs are saved, deletions wait for a run that ends well",
  steps: [
    { run: "up" },
    { run: "up", step: 2 },
    { run: "preview", step: 2 },
    { run: "up", step: 3 },
  ],
  program({ conf, step }) {
    new conf.Thing("first", { value: step });
    if (step === 1) new conf.Thing("dropped", {});
    if (step === 2) process.exitCode = 3;
    return { step };
  },
};
