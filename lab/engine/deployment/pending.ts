import { messageOf } from "../errors";
import { type Created, type Provider } from "../host/provider";
import { type Operation, type ResourceState } from "../state/resource";
import { markOutputs } from "../wire/secrecy";
import { providerOf, type Context } from "./context";
import { subjectOf } from "./steps";

/**
 * Settles what an interrupted run left open. The provider is asked with Read what became of the call: a creation is
 * looked up without an id, by URN and inputs, which a provider may answer with the resource it made; one that cannot
 * answers with no id, and the creation is repeated.
 */
export class PendingOperations {
  constructor(private readonly context: Context) {}

  /**
   * Before a resource is created or changed: the record of what an interrupted creation made, if any. Where that was a
   * replacement, `old` is what it replaces, and goes where a finished replacement would have put it.
   */
  async findCreated(
    urn: string,
    provider: Provider,
    old: ResourceState | undefined,
  ): Promise<ResourceState | undefined> {
    const { snapshot, isPreview, events } = this.context;
    const operations = snapshot.openOperations(urn, "creating");
    const last = operations[operations.length - 1];
    if (!last || isPreview) return undefined;
    const found = await this.lookUp(provider, last);
    const adopted = found && found.id !== old?.id ? adopt(last.resource, found) : undefined;
    for (const operation of operations) {
      await snapshot.end(operation, () => {
        if (operation !== last || !adopted) return;
        if (old?.pendingReplacement) snapshot.remove(old);
        else if (old) snapshot.keepForDeletion(old);
        snapshot.adopt(adopted);
      });
    }
    const what = adopted
      ? `its provider knows it as ${adopted.id}: taken over`
      : "its provider knows nothing of it: created again";
    const message = `an interrupted run was creating this resource; ${what}`;
    events.diagnostic({ severity: "warning", urn, message });
    return adopted;
  }

  /** Before a recorded resource is used or deleted: false when an interrupted deletion has already removed it. */
  async stillExists(old: ResourceState): Promise<boolean> {
    const { snapshot, isPreview, events } = this.context;
    const deletions = snapshot.openOperations(old.urn, "deleting");
    const deletion = deletions.find((operation) => operation.resource.id === old.id);
    if (!deletion || isPreview) return true;
    const found = await this.lookUp(await providerOf(this.context, old), deletion, true);
    await snapshot.end(deletion, () => {
      if (!found) snapshot.remove(old);
    });
    if (found) return true;
    const message = "an interrupted run was deleting this resource; it is gone";
    events.diagnostic({ severity: "warning", urn: old.urn, message });
    return false;
  }

  /** After a resource was settled: what was open on it no longer matters. */
  async settled(urn: string): Promise<void> {
    const { snapshot, isPreview } = this.context;
    if (isPreview) return;
    for (const operation of snapshot.openOperations(urn, "updating")) {
      await snapshot.end(operation, () => undefined);
    }
  }

  /**
   * At the end of a successful run: a resource that an interrupted run was creating and that the program no longer
   * wants is taken over in order to be deleted; everything else is dropped.
   */
  async settleRest(): Promise<void> {
    const { snapshot, events, isPreview } = this.context;
    if (isPreview) return;
    for (const operation of snapshot.pendingOperations()) {
      const { resource, type } = operation;
      let orphan: ResourceState | undefined;
      if (type === "creating") {
        const found = await this.lookUp(await providerOf(this.context, resource), operation);
        orphan = found && { ...adopt(resource, found), delete: true };
        const what = orphan
          ? `it exists as ${orphan.id} and is deleted`
          : "its provider knows nothing of it";
        const message = `an interrupted run was creating this resource, which is no longer wanted; ${what}`;
        events.diagnostic({ severity: "warning", urn: resource.urn, message });
      }
      await snapshot.end(operation, () => orphan && snapshot.adopt(orphan));
    }
  }

  private async lookUp(
    provider: Provider,
    operation: Operation,
    keepOnError = false,
  ): Promise<Created | undefined> {
    const { resource } = operation;
    try {
      return await this.context.limiter.run(() => provider.read(subjectOf(resource)));
    } catch (error) {
      const message = `an interrupted run left this resource open, and its provider cannot look it up: ${messageOf(error)}`;
      this.context.events.diagnostic({ severity: "warning", urn: resource.urn, message });
      return keepOnError ? { id: resource.id ?? "", outputs: resource.outputs ?? {} } : undefined;
    }
  }
}

function adopt(resource: ResourceState, found: Created): ResourceState {
  const outputs = markOutputs(
    found.outputs,
    resource.inputs ?? {},
    resource.additionalSecretOutputs ?? [],
  );
  return { ...resource, id: found.id, outputs };
}
