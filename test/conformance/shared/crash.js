/**
 * For the crash tests: its second step updates one thing, replaces two (create-first and delete-first),
 * drops one and makes one more.
 */
module.exports.program = ({ pulumi, conf, step }) => {
  const slow = 40;
  const first = new conf.Thing("first", { value: step, slow });
  const second = new conf.Thing("second", { identity: step, slow }, { dependsOn: first });
  new conf.Thing("third", { identity: step, deleteFirst: true, slow }, { dependsOn: second });
  if (step === 1) new conf.Thing("dropped", { slow }, { dependsOn: first });
  else new conf.Thing("made", { value: pulumi.secret("planted-made"), slow }, { dependsOn: first });
  return { second: second.id };
};
