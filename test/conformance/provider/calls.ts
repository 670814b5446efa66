import { type Cloud } from "./cloud";
import { NotReadyError } from "./failure";
import { diffThing, failureText, isToldToFail, outputsOf, withDefaults } from "./thing";
import { legible, plain, type Properties, secret } from "./values";

/** What the conformance provider does at each call of the protocol. Every call is in the journal. */
export class Calls {
  private config: Properties = {};

  constructor(private readonly cloud: Cloud) {}

  checkConfig(news: Properties) {
    this.note("checkConfig", "provider", { news });
    return { inputs: news, failures: [] as [string, string][] };
  }

  diffConfig(olds: Properties, news: Properties) {
    this.note("diffConfig", "provider", { olds, news });
    const diff = diffThing(olds, news);
    return { ...diff, replaces: diff.diffs.filter((key) => key === "region") };
  }

  configure(news: Properties): void {
    this.note("configure", "provider", { news });
    this.config = news;
  }

  check(urn: string, olds: Properties, news: Properties) {
    this.note("check", nameOf(urn), { olds, news });
    const failures: [string, string][] = isToldToFail(news, "check")
      ? [["value", failureText(news)]]
      : [];
    return { inputs: withDefaults(news), failures };
  }

  diff(urn: string, id: string, olds: Properties, news: Properties, ignored: string[]) {
    this.note("diff", nameOf(urn), { id, olds, news, ignored });
    if (isToldToFail(news, "diff")) throw new Error(failureText(news));
    return diffThing(olds, news);
  }

  async create(urn: string, inputs: Properties, preview: boolean) {
    const name = nameOf(urn);
    const outputs = { ...outputsOf(inputs, undefined, preview), region: this.region() };
    this.note("create", name, { preview, inputs });
    if (preview) return { id: "", outputs };
    await this.work(inputs);
    if (isToldToFail(inputs, "create")) this.fail("create", name, inputs);
    const id = this.cloud.create(name, { urn, inputs: plain(inputs), outputs });
    this.end("create", name, id);
    if (isToldToFail(inputs, "partial")) {
      throw new NotReadyError(id, outputs, inputs, [failureText(inputs)]);
    }
    return { id, outputs };
  }

  async update(urn: string, id: string, old: Properties, inputs: Properties, preview: boolean) {
    const name = nameOf(urn);
    const outputs = { ...outputsOf(inputs, old, preview), region: this.region() };
    this.note("update", name, { id, preview, inputs });
    if (preview) return outputs;
    await this.work(inputs);
    if (isToldToFail(inputs, "update")) this.fail("update", name, inputs);
    if (this.cloud.read(id) === undefined) throw new Error(`${id} does not exist`);
    this.cloud.write(id, { urn, inputs: plain(inputs), outputs });
    this.end("update", name, id);
    if (isToldToFail(inputs, "partial")) {
      throw new NotReadyError(id, outputs, inputs, [failureText(inputs)]);
    }
    return outputs;
  }

  async delete(urn: string, id: string, old: Properties): Promise<void> {
    const name = nameOf(urn);
    this.note("delete", name, { id });
    await this.work(old);
    if (isToldToFail(old, "delete")) this.fail("delete", name, old);
    this.cloud.delete(id);
    this.end("delete", name, id);
  }

  /** Without an id it looks for the object that an interrupted create with these inputs may have made. */
  read(
    urn: string,
    id: string,
    inputs: Properties,
  ): { id: string; outputs: Properties; inputs: Properties } | undefined {
    this.note("read", nameOf(urn), { id, inputs });
    const found = id === "" ? this.cloud.find(urn, plain(inputs)) : id;
    const object = found === undefined ? undefined : this.cloud.read(found);
    if (found === undefined || object === undefined) return undefined;
    return {
      id: found,
      outputs: object.outputs as Properties,
      inputs: object.inputs as Properties,
    };
  }

  async invoke(token: string, args: Properties): Promise<Properties> {
    this.note("invoke", token, { args });
    if (isToldToFail(args, "invoke")) throw new Error(failureText(args));
    const answer: Properties = { echo: args["value"], region: this.region() };
    if (args["tokenText"] !== undefined) answer["token"] = secret(plain(args["tokenText"]));
    return answer;
  }

  private region(): string {
    return String(plain(this.config["region"]) ?? "nowhere");
  }

  private async work(inputs: Properties): Promise<void> {
    const milliseconds = Number(plain(inputs["slow"]) ?? 0);
    if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }

  private note(call: string, name: string, fields: Properties): void {
    this.cloud.record({ call, phase: "begin", name, ...(legible(fields) as Properties) });
  }

  private end(call: string, name: string, id: string): void {
    this.cloud.record({ call, phase: "done", name, id });
  }

  private fail(call: string, name: string, inputs: Properties): never {
    this.cloud.record({ call, phase: "failed", name });
    throw new Error(failureText(inputs));
  }
}

/** The resource's name, the last part of its URN. */
function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}
