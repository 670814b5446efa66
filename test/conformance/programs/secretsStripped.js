module.exports = {
  about:
    "secrets on every path, with a provider that wants plain values: what was secret is marked again afterwards",
  environment: { CONF_ACCEPT_SECRETS: "0" },
  steps: [
    { run: "preview" },
    { run: "up" },
    { run: "preview", step: 2, args: ["--diff"] },
    { run: "up" },
  ],
  program: require("../shared/secrets.js"),
};
