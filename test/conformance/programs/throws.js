module.exports = {
  about: "the program throws: outputs stay, nothing is deleted, what was registered stands",
  steps: [
    { run: "up" },
    { run: "up", step: 2, says: ["thrown on purpose"] },
    { run: "preview", step: 2, says: ["thrown on purpose"] },
    { run: "up", step: 3, says: ["thrown later"] },
    { run: "up", step: 4 },
  ],
  async program({ conf, step }) {
    const first = new conf.Thing("first", { value: step });
    if (step === 1) new conf.Thing("dropped", {});
    if (step === 2) {
      await new Promise((resolve) => first.urn.apply(resolve));
      throw new Error("thrown on purpose");
    }
    if (step === 3) {
      first.urn.apply(() => {
        throw new Error("thrown later");
      });
    }
    return { step };
  },
};
