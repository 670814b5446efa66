module.exports = {
  about: "replaceOnChanges turns an update into a replace, at the paths named",
  steps: [{ run: "up" }, { run: "up", step: 2 }, { run: "preview", step: 3 }, { run: "up" }],
  program({ conf, step }) {
    const first = new conf.Thing("first", { value: step }, { replaceOnChanges: ["value"] });
    const value = { triggers: [step > 1 ? 2 : 1], other: step > 2 ? 3 : 1 };
    new conf.Thing(
      "second",
      { value },
      { replaceOnChanges: ["value.triggers[*]"], dependsOn: first },
    );
    new conf.Thing(
      "third",
      { value: step > 2 ? 1 : 0 },
      { replaceOnChanges: ["*"], dependsOn: first },
    );
  },
};
