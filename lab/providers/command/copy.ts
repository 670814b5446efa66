import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { isAsset } from "../../wire";
import { dial } from "./dial";
import { type CopyInputs } from "./inputs";
import { type RunContext } from "./previous";
import { RemoteFiles } from "./remoteFiles";

/** Copies the source over a connection of its own, which is closed whatever happens. */
export async function copyToHost(inputs: CopyInputs, { signal, log }: RunContext): Promise<void> {
  const { source, remotePath } = inputs;
  const text = isAsset(source) && typeof source["text"] === "string" ? source["text"] : undefined;
  const path = typeof source["path"] === "string" ? source["path"] : "";
  const what = path ? `local file ${path}` : "text asset";
  log("debug", `Creating ${inputs.connection.host}:${remotePath} from ${what}`);
  const session = await dial(inputs.connection, signal, log);
  try {
    const files = await RemoteFiles.open(session.client, signal);
    if (path) await copyPath(files, path, remotePath, signal);
    else await copyText(files, text ?? "", remotePath, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    session.close();
  }
}

async function copyText(
  files: RemoteFiles,
  text: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  if ((await files.kindOf(target)) === "directory") {
    throw new Error(
      `remote path ${target} is a directory; when using a text asset, remotePath must be a file path`,
    );
  }
  await files.makeFolders(posix.dirname(target));
  await pipeline(Readable.from([Buffer.from(text)]), files.write(target), { signal });
}

/**
 * | source | target is a folder   | target is not there | target is a file |
 * | ------ | -------------------- | ------------------- | ---------------- |
 * | dir    | target/dir           | target/dir          | error            |
 * | dir/   | its entries in target | its entries in target | error          |
 * | file   | target/file          | target              | target           |
 */
async function copyPath(
  files: RemoteFiles,
  source: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const isFolder = (await stat(source)).isDirectory();
  const kind = await files.kindOf(target);
  if (!isFolder) {
    if (kind === undefined) await files.makeFolders(posix.dirname(target));
    const file = kind === "directory" ? posix.join(target, basename(source)) : target;
    await copyFile(files, source, file, signal);
    return;
  }
  if (kind === undefined) await files.makeFolders(target);
  const folder = source.endsWith("/") ? target : posix.join(target, basename(source));
  await copyFolder(files, source, folder, signal);
}

async function copyFolder(
  files: RemoteFiles,
  source: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const kind = await files.kindOf(target);
  if (kind === "other") throw new Error(`remote path ${target} exists but is not a directory`);
  if (kind === undefined) await files.makeFolder(target);
  const entries = await readdir(source);
  for (const name of entries.sort()) {
    const from = join(source, name);
    const to = posix.join(target, name);
    if ((await stat(from)).isDirectory()) await copyFolder(files, from, to, signal);
    else await copyFile(files, from, to, signal);
  }
}

async function copyFile(
  files: RemoteFiles,
  source: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await pipeline(createReadStream(source), files.write(target), { signal });
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`failed to copy file ${source} to remote path ${target}: ${why}`);
  }
}
