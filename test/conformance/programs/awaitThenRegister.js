module.exports = {
  about: "the program waits for an output before it registers more (waves)",
  ordered: true,
  steps: [{ run: "preview" }, { run: "up" }, { run: "up" }, { run: "up", step: 2 }],
  async program({ pulumi, conf, step }) {
    const first = new conf.Thing("first", { value: step, slow: 100 });
    if (pulumi.runtime.isDryRun()) return { seen: "nothing" };
    const seen = await new Promise((resolve) => first.computed.apply(resolve));
    const second = new conf.Thing("second", { value: seen });
    const again = await new Promise((resolve) => second.computed.apply(resolve));
    new conf.Thing("third", { value: again });
    return { seen };
  },
};
