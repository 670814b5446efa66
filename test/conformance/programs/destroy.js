module.exports = {
  about: "destroy deletes everything in the reverse order, retained things only from the state",
  ordered: true,
  steps: [{ run: "up" }, { run: "destroy" }, { run: "destroy" }, { run: "up" }],
  program({ conf }) {
    const provider = new conf.Provider("own", { region: "north" });
    const first = new conf.Thing("first", {}, { provider });
    const second = new conf.Thing("second", { value: first.id });
    new conf.Thing("third", { value: second.id }, { retainOnDelete: true });
    return { second: second.computed };
  },
};
