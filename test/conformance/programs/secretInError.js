module.exports = {
  about: "an error text that quotes a secret: of the configuration, of an input, of a state",
  steps: [
    { run: "up", says: ["refused"] },
    { run: "up", step: 2, says: ["refused"] },
    { run: "up", step: 3, says: ["on purpose"] },
    { run: "up", step: 4 },
    { run: "up", step: 5, says: ["refused"] },
  ],
  program({ pulumi, conf, config, step }) {
    const failText = "refused, it is no good";
    const failOn = ["create"];
    const quote = config.requireSecret("token");
    const own = pulumi.secret("planted-own-secret");
    const tokenText = pulumi.secret("planted-in-state");
    if (step === 1) new conf.Thing("config", { failOn, failText, quote });
    if (step === 2) new conf.Thing("input", { failOn, failText, quote: own });
    if (step === 3) void pulumi.log.error("failed on purpose: planted-secret-config");
    if (step === 4) new conf.Thing("later", { tokenText });
    if (step === 5) {
      new conf.Thing("later", { tokenText, failOn: ["update"], failText, quote: tokenText });
    }
  },
};
