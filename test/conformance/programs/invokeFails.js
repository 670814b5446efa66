module.exports = {
  about:
    "a failing invoke is a rejected promise that the program may catch; uncaught it ends the run",
  steps: [{ run: "up" }, { run: "up", step: 2, says: ["no such zone"] }],
  async program({ conf, step }) {
    const args = { failOn: ["invoke"], failText: "no such zone" };
    const asked = conf.lookup(args);
    const caught = step === 2 ? await asked : await asked.catch(() => "caught");
    new conf.Thing("thing", { value: caught });
    return { caught };
  },
};
