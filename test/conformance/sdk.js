/** The conformance provider's SDK, as small as it can be. */
const pulumi = require("@pulumi/pulumi");

const version = "1.0.0";

class Thing extends pulumi.CustomResource {
  constructor(name, inputs, options) {
    const outputs = { computed: undefined, generation: undefined, token: undefined };
    const all = { ...outputs, size: undefined, region: undefined, value: undefined, ...inputs };
    super("conf:index:Thing", name, all, pulumi.mergeOptions({ version }, options));
  }
}

class Provider extends pulumi.ProviderResource {
  constructor(name, inputs, options) {
    super("conf", name, inputs, pulumi.mergeOptions({ version }, options));
  }
}

/** A component of one thing per entry; `make` may build more inside. */
class Group extends pulumi.ComponentResource {
  constructor(name, things, options, type = "conf:index:Group") {
    super(type, name, {}, options);
    this.things = Object.entries(things).map(
      ([key, inputs]) => new Thing(`${name}-${key}`, inputs, { parent: this }),
    );
    this.computed = pulumi.all(this.things.map((thing) => thing.computed));
    this.registerOutputs({ computed: this.computed });
  }
}

/** The invoke, as a promise (plain arguments) and as an output. */
const lookup = (args, options) =>
  pulumi.runtime.invoke("conf:index:lookup", args, { version, ...options });
const lookupOutput = (args, options) =>
  pulumi.runtime.invokeOutput("conf:index:lookup", args, { version, ...options });

module.exports = { Thing, Provider, Group, lookup, lookupOutput };
