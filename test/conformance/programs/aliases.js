module.exports = {
  about: "aliases: renamed, moved under a component, moved between parents, of another type",
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }, { run: "preview" }],
  program({ pulumi, conf, step }) {
    if (step === 1) {
      new conf.Thing("old", { value: 1 });
      new conf.Thing("moved", { value: 1 });
      new conf.Group("before", { a: {} });
      const named = new conf.Thing("base", {});
      new conf.Thing("leaf", { value: named.id });
      return;
    }
    new conf.Thing("new", { value: 1 }, { aliases: [{ name: "old" }] });
    const home = new pulumi.ComponentResource("conf:index:Home", "home", {}, {});
    const parent = home;
    new conf.Thing(
      "moved",
      { value: 2 },
      { parent, aliases: [{ parent: pulumi.rootStackResource }] },
    );
    new conf.Group("after", { a: {} }, { aliases: [{ name: "before" }] });
    const named = new conf.Thing("ground", {}, { aliases: [{ name: "base" }] });
    new conf.Thing("leaf", { value: named.id });
  },
};
