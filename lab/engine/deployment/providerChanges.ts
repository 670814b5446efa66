import { providerUrn, type ResourceState } from "../state/resource";
import { type Context } from "./context";

/** Tells what it means for a resource that another provider instance manages it from now on. */
export class ProviderChanges {
  private readonly answers = new Map<string, Promise<boolean>>();

  /**
   * @param states what the run has settled, by URN
   * @param aliases former names of resources, with their present ones
   */
  constructor(
    private readonly context: Context,
    private readonly states: ReadonlyMap<string, ResourceState>,
    private readonly aliases: ReadonlyMap<string, string>,
  ) {}

  /** A changed provider only matters if it says that what the old one made has to be replaced. */
  needReplacement(old: ResourceState, next: ResourceState): Promise<boolean> {
    const { provider: before = "" } = old;
    const { provider: after = "" } = next;
    const isRenamed = this.aliases.get(providerUrn(before)) === providerUrn(after);
    if (before === after || isRenamed) return Promise.resolve(false);
    const key = `${before} ${after}`;
    let answer = this.answers.get(key);
    if (!answer) {
      answer = this.ask(providerUrn(before), providerUrn(after));
      this.answers.set(key, answer);
    }
    return answer;
  }

  private async ask(before: string, after: string): Promise<boolean> {
    const old = this.context.snapshot.olds.get(before);
    if (!old) return false;
    const inputs = this.states.get(after)?.inputs ?? {};
    const diff = await this.context.registry.diff(after, old, inputs);
    return diff.changes === "some" && diff.replaceKeys.length > 0;
  }
}
