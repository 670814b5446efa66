module.exports = {
  about:
    "inputs that the provider refuses, and a diff that fails: nothing is called that changes anything",
  steps: [
    { run: "preview", says: ["must be a number"] },
    { run: "up", says: ["must be a number"] },
    { run: "up", step: 2 },
    { run: "up", step: 3, says: ["cannot compare"] },
  ],
  program({ conf, step }) {
    const refused = { failOn: ["check"], failText: "must be a number" };
    const puzzling = { failOn: ["diff"], failText: "cannot compare" };
    new conf.Thing("thing", step === 1 ? refused : step === 2 ? {} : puzzling);
  },
};
