import { randomUUID } from "node:crypto";
import { Metadata } from "@grpc/grpc-js";
import { EngineError } from "../errors";
import { type Diff, NO_DIFF } from "../plan/decision";
import { BUILT_IN_PACKAGE, providerPackage } from "../plan/urn";
import { providerUrn, type ResourceState } from "../state/resource";
import { Plugin, type PluginHost } from "./plugin";
import { type Checked, Provider } from "./provider";
import { UNKNOWN, type ValueMap } from "../../wire";

export interface RegistryHost extends PluginHost {
  root: string;
  program: string;
}

/** The provider instances of a run, one plugin process each, found by `<urn>::<id>`. */
export class Registry {
  private readonly configured = new Map<string, Provider>();
  /** Instances that have checked their configuration and wait for the step that configures them. */
  private readonly checked = new Map<string, Promise<Provider>>();
  private readonly loading = new Map<string, Promise<Provider>>();
  private readonly plugins: Plugin[] = [];

  constructor(private readonly host: RegistryHost) {}

  /** The instance a resource uses. @throws EngineError when nothing of that reference was registered. */
  get(reference: string): Provider {
    const provider = this.configured.get(reference);
    if (!provider) throw new EngineError(`unknown provider ${reference}`);
    return provider;
  }

  /** Checks the inputs of a provider resource, with a plugin that `activate` will then configure. */
  async check(
    urn: string,
    type: string,
    olds: ValueMap | undefined,
    news: ValueMap,
  ): Promise<Checked> {
    if (providerPackage(type) === BUILT_IN_PACKAGE) return { inputs: news, failures: [] };
    const starting = this.start(providerPackage(type));
    this.checked.set(urn, starting);
    return (await starting).checkConfig(urn, olds && ownInputs(olds), news);
  }

  /** How the configuration of the provider resource `urn` differs from that of `old`. */
  async diff(urn: string, old: ResourceState, news: ValueMap): Promise<Diff> {
    const provider = await this.checked.get(urn);
    if (!provider) return NO_DIFF;
    const subject = {
      urn,
      id: old.id ?? "",
      inputs: ownInputs(old.inputs ?? {}),
      outputs: old.outputs ?? {},
      timeout: 0,
    };
    return provider.diffConfig(urn, subject, ownInputs(news));
  }

  /** Configures the plugin that checked `urn` and makes it answer to `<urn>::<id>`. */
  async activate(urn: string, id: string, inputs: ValueMap): Promise<void> {
    const provider = await this.checked.get(urn);
    if (!provider) return;
    await provider.configure(urn, id, ownInputs(inputs));
    this.configured.set(`${urn}::${id}`, provider);
  }

  /** Makes the provider available that a recorded resource uses, from its own record if the program has none. */
  async ensure(reference: string, states: readonly ResourceState[]): Promise<Provider> {
    const known = this.configured.get(reference);
    if (known) return known;
    const state = states.find(
      (item) =>
        item.urn === providerUrn(reference) && `${item.urn}::${item.id ?? ""}` === reference,
    );
    if (!state) throw new EngineError(`the state holds no provider ${reference}`);
    let loading = this.loading.get(reference);
    if (!loading) {
      loading = this.load(state);
      this.loading.set(reference, loading);
    }
    return loading;
  }

  /** Ends every plugin, all at the same time. */
  async stop(): Promise<void> {
    await Promise.all(this.plugins.map((plugin) => plugin.stop()));
  }

  /** Kills every plugin at once. */
  kill(): void {
    for (const plugin of this.plugins) plugin.kill();
  }

  private async load(state: ResourceState): Promise<Provider> {
    const provider = await this.start(providerPackage(state.type));
    await provider.configure(state.urn, state.id ?? "", ownInputs(state.inputs ?? {}));
    this.configured.set(`${state.urn}::${state.id ?? ""}`, provider);
    return provider;
  }

  private async start(name: string): Promise<Provider> {
    const plugin = await Plugin.start(name, this.host);
    this.plugins.push(plugin);
    const provider = new Provider(plugin, new Metadata());
    await provider.handshake(this.host.engineAddress, this.host.root, this.host.program);
    return provider;
  }
}

/** A fresh id for a provider resource; in a preview it is not known yet. */
export function newProviderId(isPreview: boolean): string {
  return isPreview ? UNKNOWN : randomUUID();
}

/** A provider's configuration without what the CLI notes there for itself. */
export function ownInputs(inputs: ValueMap): ValueMap {
  return Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== "__internal"));
}
