module.exports = {
  about: "a RunError ends the program without a stack trace",
  steps: [
    { run: "preview", says: ["the inventory is empty"], saysNot: ["at program", "node:internal"] },
    { run: "up", says: ["the inventory is empty"], saysNot: ["at program", "node:internal"] },
  ],
  program({ pulumi }) {
    Error.stackTraceLimit = 10;
    throw new pulumi.RunError("the inventory is empty");
  },
};
