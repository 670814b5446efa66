module.exports = {
  about: "a reference to the own stack reads the outputs of the last finished run",
  steps: [
    { run: "up" },
    { run: "up", step: 2 },
    { run: "preview", step: 3 },
    { run: "up", step: 3 },
  ],
  program({ pulumi, conf, config, step }) {
    const self = new pulumi.StackReference(`organization/conformance/${pulumi.getStack()}`);
    new conf.Thing("thing", { value: self.getOutput("count") });
    const count = self.getOutput("count").apply((old) => (old ?? 0) + 1);
    const wasSecret = self.getOutput("token").apply((token) => token !== undefined);
    return { count, token: config.requireSecret("token"), wasSecret, step };
  },
};
