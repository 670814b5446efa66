/** One feature per name that the embedded engine does not have; config key `feature` picks it. */
const features = {
  deletedWith: ({ pulumi, conf }) => {
    const home = new pulumi.ComponentResource("conf:index:Home", "home");
    new conf.Thing("thing", {}, { deletedWith: home });
  },
  replaceWith: ({ pulumi, conf }) => {
    const home = new pulumi.ComponentResource("conf:index:Home", "home");
    new conf.Thing("thing", {}, { replaceWith: [home] });
  },
  replacementTrigger: ({ conf }) => new conf.Thing("thing", {}, { replacementTrigger: "again" }),
  transforms: ({ conf }) => {
    new conf.Thing("thing", {}, { transforms: [({ props, opts }) => ({ props, opts })] });
  },
  hooks: ({ pulumi, conf }) => {
    const hook = new pulumi.ResourceHook("hook", async () => undefined);
    new conf.Thing("thing", {}, { hooks: { beforeCreate: [hook] } });
  },
  remote: ({ pulumi }) => {
    new (class extends pulumi.ComponentResource {
      constructor() {
        super("conf:index:Remote", "remote", {}, { version: "1.0.0" }, true);
      }
    })();
  },
  call: ({ pulumi }) => pulumi.runtime.call("conf:index:method", {}),
  pluginDownloadURL: ({ conf }) => {
    new conf.Thing("thing", {}, { pluginDownloadURL: "https://plugins.example.test" });
  },
  asset: ({ pulumi, conf }) => {
    new conf.Thing("thing", {
      value: new pulumi.asset.RemoteAsset("https://files.example.test/a"),
    });
  },
  otherStack: ({ pulumi }) => {
    const other = new pulumi.StackReference("organization/conformance/other");
    return { value: other.getOutput("value") };
  },
  get: ({ pulumi }) => {
    new pulumi.CustomResource("conf:index:Thing", "thing", {}, { id: "thing-7", version: "1.0.0" });
  },
  requirePulumiVersion: async ({ pulumi }) => {
    await pulumi.requirePulumiVersion(">=99.0.0");
  },
};

module.exports.program = (given) => features[given.config.require("feature")](given);
