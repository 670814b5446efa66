module.exports = {
  about: "components: nested, their outputs, children that go, a component as a value",
  steps: [{ run: "preview" }, { run: "up" }, { run: "up", step: 2 }],
  program({ pulumi, conf, step }) {
    class Outer extends pulumi.ComponentResource {
      constructor(name) {
        super("conf:index:Outer", name, {});
        const inner = new conf.Group(
          `${name}-inner`,
          { a: { value: step }, b: {} },
          { parent: this },
        );
        if (step === 1) new conf.Thing(`${name}-own`, {}, { parent: inner.things[0] });
        this.registerOutputs({ computed: inner.computed, step });
      }
    }
    const outer = new Outer("outer");
    const silent = new pulumi.ComponentResource("conf:index:Silent", "silent", { given: 1 });
    return { urn: outer.urn, silent: silent.urn };
  },
};
