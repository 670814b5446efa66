module.exports = {
  about: "a changed input is an update; what depends on an output of it is unknown in preview",
  steps: [{ run: "up" }, { run: "preview", step: 2 }, { run: "up" }],
  program({ conf, step }) {
    const first = new conf.Thing("first", { value: step });
    const second = new conf.Thing("second", { value: first.computed });
    new conf.Thing("third", { value: first.size });
    return { computed: second.computed, generation: first.generation };
  },
};
