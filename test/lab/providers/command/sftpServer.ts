import { closeSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";
import { utils, type SFTPWrapper } from "ssh2";

const { STATUS_CODE } = utils.sftp;

/** The part of SFTP that copying to a host uses, on this machine's files. */
export function serveFiles(sftp: SFTPWrapper): void {
  const answer = (id: number, action: () => void) => {
    try {
      action();
      sftp.status(id, STATUS_CODE.OK);
    } catch (error) {
      fail(id, error as NodeJS.ErrnoException);
    }
  };
  const fail = (id: number, error: NodeJS.ErrnoException) => {
    const isMissing = error.code === "ENOENT";
    sftp.status(id, isMissing ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE, error.message);
  };
  const stat = (id: number, path: string) => {
    try {
      const { mode, uid, gid, size, atimeMs, mtimeMs } = statSync(path);
      sftp.attrs(id, { mode, uid, gid, size, atime: atimeMs / 1000, mtime: mtimeMs / 1000 });
    } catch (error) {
      fail(id, error as NodeJS.ErrnoException);
    }
  };
  sftp.on("STAT", stat);
  sftp.on("LSTAT", stat);
  sftp.on("MKDIR", (id, path) => answer(id, () => mkdirSync(path)));
  sftp.on("OPEN", (id, path) => {
    try {
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(openSync(path, "w"));
      sftp.handle(id, handle);
    } catch (error) {
      fail(id, error as NodeJS.ErrnoException);
    }
  });
  sftp.on("WRITE", (id, handle, offset, data) =>
    answer(id, () => writeSync(handle.readUInt32BE(0), data, 0, data.length, offset)),
  );
  sftp.on("FSETSTAT", (id) => sftp.status(id, STATUS_CODE.OK));
  sftp.on("CLOSE", (id, handle) => answer(id, () => closeSync(handle.readUInt32BE(0))));
}
