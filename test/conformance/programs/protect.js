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
  program({ conf, step }) {
    const protect = step !== 4;
    const identity = step === 3 ? "other" : "one";
    if (step !== 2) new conf.Thing("safe", { identity }, { protect });
    new conf.Thing("other", {});
    return { step };
  },
};
