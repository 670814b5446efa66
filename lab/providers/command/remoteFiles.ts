import { posix } from "node:path";
import { type Writable } from "node:stream";
import { type Client, type SFTPWrapper } from "ssh2";

/** Status of SFTP for what is not there (draft-ietf-secsh-filexfer-02, section 7). */
const NO_SUCH_FILE = 2;

/** Milliseconds that the server has to start its SFTP part. */
const OPEN_LIMIT = 30_000;

/** Files on a host, over SFTP. */
export class RemoteFiles {
  private constructor(private readonly sftp: SFTPWrapper) {}

  static open(client: Client, signal: AbortSignal): Promise<RemoteFiles> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new Error(`ssh: no answer within ${OPEN_LIMIT / 1000} s to the opening of sftp`));
      }, OPEN_LIMIT);
      const fail = (error: Error) => {
        clearTimeout(late);
        reject(error);
      };
      signal.addEventListener("abort", () => fail(signal.reason as Error), { once: true });
      client.once("close", () => fail(new Error("EOF")));
      client.sftp((error, sftp) => {
        clearTimeout(late);
        if (error) reject(new Error(`ssh: subsystem request failed: ${error.message}`));
        else resolve(new RemoteFiles(sftp));
      });
    });
  }

  /** What is at a path, links followed; undefined for nothing. */
  kindOf(path: string): Promise<"directory" | "other" | undefined> {
    return new Promise((resolve, reject) => {
      this.sftp.stat(path, (error, stats) => {
        if (!error) resolve(stats.isDirectory() ? "directory" : "other");
        else if ((error as { code?: number }).code === NO_SUCH_FILE) resolve(undefined);
        else reject(new Error(`failed to stat remote path ${path}: ${error.message}`));
      });
    });
  }

  makeFolder(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.sftp.mkdir(path, (error) => {
        if (error) {
          reject(new Error(`failed to create remote directory ${path}: ${error.message}`));
        } else resolve();
      });
    });
  }

  /** Makes a folder and those above it, as far as they are missing. */
  async makeFolders(path: string): Promise<void> {
    const kind = await this.kindOf(path);
    if (kind === "directory") return;
    if (kind === "other") throw new Error(`remote path ${path} exists but is not a directory`);
    const above = posix.dirname(path);
    if (above !== path) await this.makeFolders(above);
    await this.makeFolder(path);
  }

  /** A stream that becomes the file, replacing its content. */
  write(path: string): Writable {
    return this.sftp.createWriteStream(path);
  }
}
