// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDisk } from './file-system.ts';
import { asVolumeError } from './store-error.ts';

export interface ScratchDisk {
  /** A path under which this process and its children can open it. */
  file: string;
  close(): Promise<void>;
}

/**
 * A disk with an empty ext4 file system that has no name: however this process and the monitor end, nothing of it is
 * left.
 *
 * @param folder on the file system that it takes its space from
 * @param size bytes; it is sparse
 * @throws PullerError `TOOL_MISSING`, `STORE_IO`; the signal's reason
 */
export async function makeScratchDisk(folder: string, size: number, signal?: AbortSignal): Promise<ScratchDisk> {
  try {
    await mkdir(folder, { recursive: true });
    const name = join(folder, `scratch-${process.pid}-${randomBytes(6).toString('hex')}`);
    const handle = await open(name, 'wx+', 0o600);
    try {
      await unlink(name);
      const file = `/proc/${process.pid}/fd/${handle.fd}`;
      await formatDisk(handle, file, size, signal);
      return { file, close: () => handle.close() };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw asVolumeError(error, 'making a scratch disk');
  }
}
