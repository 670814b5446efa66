module.exports = {
  about: "invokes: by value, from an output (not in a preview where it is unknown), with secrets",
  steps: [{ run: "preview" }, { run: "up" }],
  async program({ pulumi, conf, config }) {
    const direct = await conf.lookup({ value: { a: [1] } });
    const first = new conf.Thing("first", { value: direct.echo });
    const output = conf.lookupOutput({ value: first.computed });
    const tokenText = config.requireSecret("token");
    const hidden = conf.lookupOutput({ tokenText });
    const second = new conf.Thing("second", { value: output.apply((answer) => answer.echo) });
    return {
      echo: direct.echo,
      second: second.computed,
      isHidden: pulumi.isSecret(hidden),
      token: hidden.apply((answer) => answer.token),
    };
  },
};
