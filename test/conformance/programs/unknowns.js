module.exports = {
  about: "a preview from nothing: outputs that only the cloud knows are unknown, at any depth",
  steps: [{ run: "preview" }, { run: "up" }],
  program({ pulumi, conf }) {
    const first = new conf.Thing("first", { value: "known" });
    const nested = { list: [first.computed, "plain"], deep: { id: first.id, size: first.size } };
    const second = new conf.Thing("second", { value: nested });
    const text = pulumi.interpolate`${first.id} and ${second.generation}`;
    new conf.Thing("third", { value: text, identity: second.computed });
    return { text, nested };
  },
};
