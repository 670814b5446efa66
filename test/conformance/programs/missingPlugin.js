module.exports = {
  about: "a package without an executable",
  steps: [{ run: "up", says: ["absent"] }],
  program({ pulumi }) {
    new pulumi.CustomResource("absent:index:Thing", "thing", {}, { version: "1.0.0" });
  },
};
