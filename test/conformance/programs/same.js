module.exports = {
  about:
    "nothing changed: no call that changes anything, and --expect-no-changes tells the two apart",
  steps: [
    { run: "up", args: [] },
    { run: "up" },
    { run: "preview", args: ["--expect-no-changes"] },
    { run: "preview", args: ["--expect-no-changes"], step: 2 },
    { run: "up", args: ["--expect-no-changes"], step: 2 },
    { run: "outputs" },
    { run: "destroy" },
  ],
  program({ conf, step }) {
    const thing = new conf.Thing("thing", {
      value: { list: [1, "two", { three: 3.5 }], none: null, yes: true, text: "ü€" },
    });
    if (step === 2) new conf.Thing("second", {});
    return { computed: thing.computed, value: thing.value, size: thing.size };
  },
};
