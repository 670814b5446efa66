/**
 * What tests, and the programs that they start, see of whoever runs them: texts are compared as they are, so there are
 * no colours (jest asks its workers for some where it has them itself, on a terminal or a CI's runner), and no locale
 * of which a shell might say that it is not installed.
 */
const { TestEnvironment } = require("jest-environment-node");

module.exports = class PlainEnvironment extends TestEnvironment {
  constructor(...given) {
    for (const name of ["FORCE_COLOR", "LANG", "LANGUAGE"]) delete process.env[name];
    Object.assign(process.env, { NO_COLOR: "1", LC_ALL: "C.UTF-8" });
    super(...given);
  }
};
