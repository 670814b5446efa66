module.exports = {
  about: "a provider whose configuration asks for a replace takes its things along",
  ordered: true,
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }],
  program({ conf, step }) {
    const own = new conf.Provider("own", { region: step === 1 ? "north" : "south" });
    const thing = new conf.Thing("thing", {}, { provider: own });
    return { region: thing.region };
  },
};
