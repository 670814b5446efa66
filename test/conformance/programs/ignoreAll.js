module.exports = {
  about: 'ignoreChanges ["*"]: old inputs stand as they were; a new thing takes what it is given',
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }, { run: "up", step: 3 }],
  program({ conf, step }) {
    const ignoreChanges = step === 2 ? ["*"] : [];
    const inputs = step === 2 ? { value: "placeholder" } : { value: step, identity: "x" };
    const first = new conf.Thing("first", inputs, { ignoreChanges });
    if (step > 1) new conf.Thing("second", { value: step }, { ignoreChanges });
    return { value: first.value, computed: first.computed };
  },
};
