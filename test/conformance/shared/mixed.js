/** Something of everything, for states that go from one engine to the other. */
module.exports.program = ({ pulumi, conf, config, step }) => {
  const self = new pulumi.StackReference(`organization/conformance/${pulumi.getStack()}`);
  const own = new conf.Provider("own", {
    region: "north",
    password: config.requireSecret("token"),
  });
  const first = new conf.Thing("first", { value: step, tokenText: pulumi.secret("planted-token") });
  const second = new conf.Thing(
    "second",
    { value: { deep: [first.computed, pulumi.secret("planted-nested")] }, identity: 1 },
    { provider: own, dependsOn: first, additionalSecretOutputs: ["computed"] },
  );
  const group = new conf.Group("group", { a: { value: second.id }, b: {} }, { dependsOn: second });
  new conf.Thing("kept", { value: 1 }, { retainOnDelete: true, parent: group });
  // As remote.Command's connection: a secret that holds a secret.
  const inner = { host: "a", password: pulumi.secret("planted-inner") };
  new conf.Thing("doubly", { value: pulumi.secret(inner) });
  new conf.Thing("calm", { value: step }, { ignoreChanges: ["*"], deleteBeforeReplace: true });
  return {
    computed: second.computed,
    token: first.token,
    things: group.computed,
    name: self.name,
  };
};
