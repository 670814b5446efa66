import { crashPoint } from "../crashPoint";
import { type Vault } from "../crypto/vault";
import { deploymentPieces, writeResource } from "./checkpoint";
import { type Operation, type ResourceState } from "./resource";
import { type Snapshot } from "./snapshot";

/**
 * Writes a snapshot. Steps that end together share one write: each waits for a write that began after its change, and
 * only changed resources are serialised again.
 */
export class Saver {
  private readonly texts = new WeakMap<ResourceState, Buffer>();
  private next: Promise<void> | undefined;
  /** Number of writes so far. */
  writes = 0;

  constructor(
    private readonly vault: Vault,
    private readonly write: (deployment: Buffer[]) => void,
  ) {}

  /** Resolves when the snapshot as it is now, or a later one, is on disk. */
  save(snapshot: Snapshot): Promise<void> {
    this.next ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.next = undefined;
        try {
          crashPoint("before-save");
          this.write(this.serialize(snapshot.resources(), snapshot.pendingOperations()));
          crashPoint("after-save");
          this.writes++;
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    return this.next;
  }

  serialize(resources: readonly ResourceState[], operations: readonly Operation[]): Buffer[] {
    const salt = this.vault.salt;
    return deploymentPieces(
      resources.map((state) => this.text(state)),
      operations.map(({ resource, type }) => ({ resource: this.text(resource), type })),
      salt,
      new Date().toISOString(),
    );
  }

  private text(state: ResourceState): Buffer {
    let text = this.texts.get(state);
    if (text === undefined) {
      text = Buffer.from(writeResource(state, (value) => this.vault.seal(value)));
      this.texts.set(state, text);
    }
    return text;
  }
}
