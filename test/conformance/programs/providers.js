module.exports = {
  about: "the default provider takes the stack's configuration, explicit ones their own inputs",
  config: { "conf:region": "south" },
  steps: [
    { run: "up" },
    { run: "up" },
    { run: "preview", step: 2 },
    { run: "up" },
    { run: "up", config: { "conf:region": "west" } },
  ],
  program({ conf, config, step }) {
    const password = config.requireSecret("token");
    const zone = step === 1 ? "one" : "two";
    const own = new conf.Provider("own", { region: "north", password, zone });
    const standard = new conf.Thing("standard", {});
    const thing = new conf.Thing("thing", {}, { provider: own });
    const child = new conf.Thing("child", {}, { parent: thing });
    return { standard: standard.region, thing: thing.region, child: child.region };
  },
};
