module.exports = {
  about: "things dropped from the program go in the reverse order of what they stand on",
  ordered: true,
  steps: [{ run: "up" }, { run: "up", step: 2 }],
  program({ pulumi, conf, step }) {
    new conf.Thing("stays", {});
    if (step === 2) return;
    const first = new conf.Thing("first", {});
    const second = new conf.Thing("second", { value: first.computed });
    const group = new pulumi.ComponentResource("conf:index:Empty", "group", {}, {});
    const third = new conf.Thing("third", { value: second.id }, { parent: group });
    new conf.Thing("fourth", {}, { dependsOn: third, parent: third });
  },
};
