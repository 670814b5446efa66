import {
  accessSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../usageError";

/**
 * Replaces a file's content at once: readers see the old or the new, never half. Mode and owner stay, and a
 * symbolic link stays one. A file that may not be written is not replaced.
 *
 * @param before content that the new one was made from
 * @throws UsageError when the file has changed since, or cannot be written
 */
export function replaceFile(file: string, before: string, after: string): void {
  const target = realpathSync(file);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}`);
  try {
    // A rename would replace a file that its owner has made read-only.
    accessSync(target, constants.W_OK);
    const { mode, uid, gid } = statSync(target);
    const descriptor = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(descriptor, after);
      fchmodSync(descriptor, mode & 0o7777);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (process.getuid?.() === 0) chownSync(temporary, uid, gid);
    if (readFileSync(target, "utf8") !== before)
      throw new UsageError(`${file} was changed by somebody else meanwhile; nothing was recorded`);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot write ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
