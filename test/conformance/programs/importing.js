module.exports = {
  about:
    "import: what exists is taken over as it is, once; what is otherwise is updated, what is missing is an error",
  steps: [
    { run: "up" },
    { run: "preview", step: 2 },
    { run: "up" },
    { run: "up" },
    { run: "up", step: 3 },
    { run: "preview", step: 4 },
    { run: "up" },
    { run: "up", step: 5, says: ["resource 'nobody-1' does not exist"] },
    { run: "up", step: 6 },
    { run: "destroy" },
  ],
  program({ conf, step }) {
    if (step === 1) {
      new conf.Thing("made", { value: "as it is" }, { retainOnDelete: true });
      new conf.Thing("other", { value: "old" }, { retainOnDelete: true });
      return;
    }
    const value = step < 6 ? "as it is" : "new";
    new conf.Thing("adopted", { value, size: "small" }, { import: "made-1" });
    if (step === 3) {
      new conf.Thing(
        "held",
        { value: "ours", size: "small" },
        { import: "other-1", ignoreChanges: ["value"], retainOnDelete: true },
      );
    }
    if (step === 4) new conf.Thing("otherwise", { value: "ours" }, { import: "other-1" });
    if (step === 5) new conf.Thing("missing", {}, { import: "nobody-1" });
  },
};
