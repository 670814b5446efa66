module.exports = {
  about: "retainOnDelete: dropped and replaced things leave the state and stay in the world",
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }, { run: "up", step: 3 }],
  program({ conf, step }) {
    if (step < 3) new conf.Thing("kept", { identity: step }, { retainOnDelete: true });
    new conf.Thing("other", {}, { retainOnDelete: step === 2 });
  },
};
