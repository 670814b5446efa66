/** One program for both kinds of provider: every way a secret can go. */
module.exports = ({ pulumi, conf, config, step }) => {
  const fromConfig = config.requireSecret("token");
  const made = pulumi.secret(`planted-made-${step}`);
  const top = new conf.Thing("top", { value: fromConfig });
  const nested = new conf.Thing("nested", { value: { list: ["listed", made], open: step } });
  const given = new conf.Thing("given", { tokenText: pulumi.secret("planted-by-provider") });
  const marked = new conf.Thing(
    "marked",
    { value: "open-" + step },
    { additionalSecretOutputs: ["value", "computed"] },
  );
  const onward = new conf.Thing("onward", { value: pulumi.interpolate`<${given.token}>` });
  const group = new conf.Group("group", { inside: { value: made } });
  group.registerOutputs({ hidden: made, open: "open" });
  return {
    fromConfig,
    object: { inside: made, open: 1 },
    nested: nested.value,
    token: given.token,
    value: marked.value,
    onward: onward.computed,
    top: top.computed,
    unmasked: pulumi.unsecret(pulumi.output("not hidden")),
  };
};
