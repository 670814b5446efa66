module.exports = {
  about:
    "a replace whose new thing cannot be made: create-first keeps the old, delete-first has none",
  steps: [
    { run: "up" },
    { run: "up", step: 2, says: ["no room"] },
    { run: "preview", step: 3 },
    { run: "up", step: 3 },
    { run: "up", step: 4, says: ["no room"] },
    { run: "up", step: 5 },
  ],
  program({ conf, step }) {
    const failing = { failOn: ["create"], failText: "no room" };
    const early = { identity: Math.min(step, 3), ...(step === 2 ? failing : {}) };
    const first = new conf.Thing("first", early);
    const late = { identity: Math.max(step, 3), deleteFirst: true, ...(step === 4 ? failing : {}) };
    new conf.Thing("second", late, { dependsOn: first });
  },
};
