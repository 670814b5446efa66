module.exports = {
  about: "a provider configured from an output: unknown in preview, so nothing is asked of it",
  steps: [{ run: "preview" }, { run: "up" }, { run: "preview" }],
  program({ conf }) {
    const first = new conf.Thing("first", {});
    const own = new conf.Provider("own", { region: first.computed });
    const thing = new conf.Thing("thing", { value: 1 }, { provider: own });
    return { region: thing.region };
  },
};
