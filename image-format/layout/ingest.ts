// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno, isMissing, storeError, syncFolder } from './durable.ts';
import { isOwnerAlive, ownerName } from './process-owner.ts';

/** Another PID namespace's files (a container on the same store) can only be judged by their age. */
const FOREIGN_AGE_MS = 24 * 3600 * 1000;

/**
 * The folder of files that are not yet whole. A file's name says who writes it (`ownerName`), so that what a killed
 * process left is found and removed by the next one.
 */
export class IngestFolder {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static async open(path: string): Promise<IngestFolder> {
    await mkdir(path, { recursive: true });
    const folder = new IngestFolder(path);
    await folder.clean();
    return folder;
  }

  /**
   * Calls `fill` with a new file, then gives that file the name `fill` returns, durably. Whatever goes wrong, nothing
   * is left.
   */
  async publish(doing: string, fill: (file: FileHandle) => Promise<string>): Promise<void> {
    const temporary = this.newPath();
    let file: FileHandle | undefined;
    try {
      // Nobody changes a blob: who tries by hand is warned.
      file = await open(temporary, 'wx', 0o444);
      const target = await fill(file);
      await file.sync();
      await file.close();
      file = undefined;
      await mkdir(dirname(target), { recursive: true });
      await rename(temporary, target);
      await syncFolder(dirname(target));
    } catch (cause) {
      await file?.close().catch(() => {});
      await rm(temporary, { force: true }).catch(() => {});
      throw isErrno(cause) ? storeError(cause, doing) : cause;
    }
  }

  newPath(): string {
    return join(this.#path, `${ownerName()}-${randomBytes(8).toString('hex')}`);
  }

  /** Removes what processes that are gone have left. */
  async clean(): Promise<void> {
    for (const name of await readdir(this.#path)) {
      const path = join(this.#path, name);
      if (await this.#isAbandoned(name, path)) await rm(path, { force: true, recursive: true }).catch(() => {});
    }
  }

  async #isAbandoned(name: string, path: string): Promise<boolean> {
    const alive = isOwnerAlive(name);
    if (alive !== undefined) return !alive;
    const age = await stat(path).then(
      (info) => Date.now() - info.mtimeMs,
      (error) => (isMissing(error) ? 0 : Number.POSITIVE_INFINITY),
    );
    return age > FOREIGN_AGE_MS;
  }
}
