module.exports = {
  about: "dependsOn a thing, a component (all its children), an output; inputs carry dependencies",
  ordered: true,
  steps: [{ run: "up" }, { run: "up", step: 2 }, { run: "destroy" }],
  program({ pulumi, conf, step }) {
    const first = new conf.Thing("first", { slow: 150 });
    const group = new conf.Group("group", { a: { slow: 100 } }, { dependsOn: first });
    const second = new conf.Thing("second", {}, { dependsOn: step === 1 ? [group] : [first] });
    const both = pulumi.all([second.computed, first.computed]);
    new conf.Thing("third", { value: both }, { dependsOn: pulumi.output([second]) });
  },
};
