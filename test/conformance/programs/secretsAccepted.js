module.exports = {
  about: "secrets on every path, with a provider that takes secrets as such",
  environment: { CONF_ACCEPT_SECRETS: "1" },
  steps: [
    { run: "preview" },
    { run: "up" },
    { run: "up" },
    { run: "preview", step: 2, args: ["--diff"] },
    { run: "up" },
    { run: "outputs" },
  ],
  program: require("../shared/secrets.js"),
};
