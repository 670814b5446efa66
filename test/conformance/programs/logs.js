module.exports = {
  about: "an error that is only logged: exit code 0, outputs saved, deletions done",
  steps: [
    { run: "up" },
    { run: "up", step: 2, says: ["bad news", "a warning", "for information"] },
    { run: "preview", step: 2, says: ["bad news", "a warning"] },
  ],
  program({ pulumi, conf, step }) {
    const first = new conf.Thing("first", { value: step });
    if (step === 1) {
      new conf.Thing("dropped", {});
    } else {
      void pulumi.log.error("bad news", first);
      void pulumi.log.warn("a warning", first);
      void pulumi.log.info("for information");
      void pulumi.log.debug("not shown");
    }
    return { step };
  },
};
