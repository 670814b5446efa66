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
    const token = config.requireSecret("token");
    const quoted = pulumi.interpolate`refused: ${token} is no good`;
    const own = pulumi.secret("planted-own-secret");
    const other = pulumi.interpolate`refused: echo '${own}' | run`;
    const tokenText = pulumi.secret("planted-in-state");
    const late = pulumi.interpolate`refused: ${tokenText}`;
    if (step === 1) new conf.Thing("config", { failOn: ["create"], failText: quoted });
    if (step === 2) new conf.Thing("input", { value: own, failOn: ["create"], failText: other });
    if (step === 3) void pulumi.log.error("failed on purpose: planted-secret-config");
    if (step === 4) new conf.Thing("later", { tokenText });
    if (step === 5) new conf.Thing("later", { tokenText, failOn: ["update"], failText: late });
  },
};
