module.exports = {
  about: "a protected thing is neither dropped nor replaced nor destroyed",
  steps: [
    { run: "up" },
    { run: "preview", step: 2, says: ["protect"] },
    { run: "up", step: 2, says: ["protect"] },
    { run: "up", step: 3, says: ["protect"] },
    { run: "destroy", says: ["protect"] },
    { run: "up", step: 4 },
  ],
  async program({ conf, step }) {
    const other = new conf.Thing("other", {});
    // One after the other: what an error overtakes is a matter of luck.
    await new Promise((resolve) => other.urn.apply(resolve));
    const protect = step !== 4;
    const identity = step === 3 ? "other" : "one";
    if (step !== 2) new conf.Thing("safe", { identity }, { protect });
    return { step };
  },
};
