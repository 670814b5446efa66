import * as pulumi from "@pulumi/pulumi";

/** A resource class as a TypeScript SDK has it. */
class Thing extends pulumi.CustomResource {
  declare readonly computed: pulumi.Output<string>;

  constructor(name: string, args: { readonly value?: pulumi.Input<unknown> }) {
    super("conf:index:Thing", name, { computed: undefined, ...args }, { version: "1.0.0" });
  }
}

const config = new pulumi.Config();
const first = new Thing("first", { value: 1 });
const second = new Thing("second", { value: first.computed });

export const computed = second.computed;
export const token = config.requireSecret("token");
