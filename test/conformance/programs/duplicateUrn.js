module.exports = {
  about: "two things of one type and name",
  steps: [
    { run: "preview", says: ["uplicate resource URN"] },
    { run: "up", says: ["uplicate resource URN"] },
  ],
  async program({ conf }) {
    const first = new conf.Thing("twice", { value: 1 });
    await new Promise((resolve) => first.urn.apply(resolve));
    new conf.Thing("twice", { value: 2 });
  },
};
