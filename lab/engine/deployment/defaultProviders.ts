import { defaultProviderName } from "../plan/urn";
import { type Context } from "./context";
import { type Goal } from "./goal";
import { type Registered } from "./registrar";
import { StepFailed } from "./steps";
import { secret, type ValueMap } from "../../wire";

/** Makes the provider of a package and version that the program uses without declaring one, once each. */
export class DefaultProviders {
  private readonly references = new Map<string, Promise<string>>();

  constructor(
    private readonly context: Context,
    private readonly register: (goal: Goal) => Promise<Registered>,
  ) {}

  /** `<urn>::<id>` of the default provider. */
  get(packageName: string, version: string): Promise<string> {
    const key = `${packageName}@${version}`;
    let reference = this.references.get(key);
    if (!reference) {
      reference = this.make(packageName, version);
      this.references.set(key, reference);
    }
    return reference;
  }

  private async make(packageName: string, version: string): Promise<string> {
    const goal: Goal = {
      type: `pulumi:providers:${packageName}`,
      name: defaultProviderName(version),
      custom: true,
      inputs: { ...this.configOf(packageName), ...(version && { version }) },
      protect: false,
      dependencies: [],
      version,
      propertyDependencies: {},
      ignoreChanges: [],
      additionalSecretOutputs: [],
      aliases: [],
      replaceOnChanges: [],
      retainOnDelete: false,
    };
    const { state, result } = await this.register(goal);
    if (result !== "success") throw new StepFailed(`the provider of ${packageName} failed`);
    return `${state.urn}::${state.id ?? ""}`;
  }

  /** The stack's configuration in the package's namespace. */
  private configOf(packageName: string): ValueMap {
    const result: ValueMap = {};
    for (const [key, value] of Object.entries(this.context.config)) {
      if (!key.startsWith(`${packageName}:`)) continue;
      const isSecret = this.context.secretConfigKeys.includes(key);
      result[key.slice(packageName.length + 1)] = isSecret ? secret(value) : value;
    }
    return result;
  }
}
