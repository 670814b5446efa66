module.exports = {
  about: "ignoreChanges keeps the old input at a path, and only there",
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }, { run: "up", step: 3 }],
  program({ conf, step }) {
    new conf.Thing("top", { value: step }, { ignoreChanges: ["value"] });
    const value = { kept: { deep: step, beside: 1 }, other: step < 3 ? 1 : step };
    new conf.Thing("nested", { value }, { ignoreChanges: ["value.kept.deep"] });
    const gone = step === 1 ? { value: "was there" } : {};
    new conf.Thing("gone", gone, { ignoreChanges: ["value"] });
    const came = step === 1 ? {} : { value: "is new" };
    new conf.Thing("came", came, { ignoreChanges: ["value"] });
    new conf.Thing("identity", { identity: step }, { ignoreChanges: ["identity"] });
  },
};
