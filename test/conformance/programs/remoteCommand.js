const command = require("@pulumi/command");

module.exports = {
  about:
    "remote.Command over real SSH: the official plugin on the real CLI, ours on the embedded engine",
  sshd: true,
  ordered: true,
  steps: [
    { run: "preview" },
    { run: "up" },
    { run: "up" },
    { run: "preview", step: 2 },
    { run: "up" },
    { run: "up", step: 3, says: ["no such unit"] },
    { run: "up", step: 4 },
    { run: "destroy" },
  ],
  program({ pulumi, config, step }) {
    const connection = {
      host: "127.0.0.1",
      port: config.requireNumber("port"),
      user: "nobody",
      password: pulumi.secret("planted-ssh-password"),
      dialErrorLimit: 1,
      perDialTimeout: 5,
    };
    const addPreviousOutputInEnv = false;
    const first = new command.remote.Command("first", {
      connection,
      addPreviousOutputInEnv,
      create: "cat; echo; echo to stderr >&2",
      update: step === 3 ? "echo no such unit; exit 3" : "echo updated; cat",
      delete: "echo gone",
      stdin: JSON.stringify({ step: Math.min(step, 3) }),
    });
    const hidden = new command.remote.Command(
      "hidden",
      {
        connection,
        addPreviousOutputInEnv,
        create: "sha256sum",
        stdin: config.requireSecret("token"),
        environment: { LANG: "C" },
        logging: "none",
        triggers: [step > 3 ? 2 : 1],
      },
      { dependsOn: first, additionalSecretOutputs: ["stdout", "stderr"] },
    );
    return { stdout: first.stdout, stderr: first.stderr, hidden: hidden.stdout };
  },
};
