/** Runs a program file's `program` with what every program needs. */
module.exports = (file) => {
  // Node 20.20's util.inspect loops for a minute, until a string is too long, over a frame such as
  // `node_modules/@pulumi/resource.ts`, in which most stack traces of the SDK end. No frames, no loop.
  Error.stackTraceLimit = 0;
  const pulumi = require("@pulumi/pulumi");
  const conf = require("./sdk.js");
  const config = new pulumi.Config();
  return require(file).program({ pulumi, conf, config, step: config.getNumber("step") ?? 1 });
};
