module.exports = {
  about: "partly made, and the program is as it was: the next run updates all the same",
  steps: [
    { run: "up", says: ["no answer"] },
    { run: "preview" },
    { run: "up", says: ["no answer"] },
  ],
  program({ conf }) {
    new conf.Thing("first", { failOn: ["partial"], failText: "no answer" });
  },
};
