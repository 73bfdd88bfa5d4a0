// SPDX-License-Identifier: Apache-2.0
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, writeSynced } from '../../image-format/layout/durable.ts';
import { PullerError } from '../errors.ts';
import { makeFileSystem } from './file-system.ts';
import { findVolume, missingVolume } from './find.ts';
import { asVolumeError } from './store-error.ts';
import { unfinished } from './unfinished.ts';
import { DISK_IMAGE, RECORD, type Volume, type VolumeRecord, volumeFolder } from './volume.ts';

export interface CreateOptions {
  /** Bytes, rounded up to whole MiB. Default: {@link DEFAULT_SIZE}. */
  size?: number;
  labels?: VolumeRecord['labels'];
  signal?: AbortSignal;
}

/** 10 GiB, of which an empty volume takes 4.4 MB on the host. */
export const DEFAULT_SIZE = 10 * 2 ** 30;

/** Below this little is left beside the journal. */
const SMALLEST = 16 * 2 ** 20;

const STEP = 2 ** 20;

/** More are needed only where other processes make and remove the volume all the time. */
const ATTEMPTS = 5;

/**
 * Makes a volume. It appears whole, by one rename, and is on the disk when this returns.
 *
 * @param volumes folder of all volumes; made where it does not exist
 * @throws PullerError `VOLUME_EXISTS`, `VOLUME_INVALID` (the name or the size), `TOOL_MISSING`, `STORE_IO`
 */
export async function createVolume(volumes: string, name: string, options: CreateOptions = {}): Promise<Volume> {
  if ((await findVolume(volumes, name)) !== undefined) throw exists(name);
  const created = await make(volumes, name, options);
  if (created === undefined) throw exists(name);
  return created;
}

/**
 * A volume by its name, made at its first use. Several calls at once give the same volume.
 *
 * @throws PullerError as {@link createVolume} does, but for `VOLUME_EXISTS`
 */
export async function ensureVolume(volumes: string, name: string, options: CreateOptions = {}): Promise<Volume> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const volume = (await findVolume(volumes, name)) ?? (await make(volumes, name, options));
    if (volume !== undefined) return volume;
  }
  throw missingVolume(volumes, name);
}

/** @returns undefined where another process has made a volume of this name meanwhile */
async function make(volumes: string, name: string, options: CreateOptions): Promise<Volume | undefined> {
  const folder = volumeFolder(volumes, name);
  const size = Math.ceil((options.size ?? DEFAULT_SIZE) / STEP) * STEP;
  if (!Number.isSafeInteger(size) || size < SMALLEST) {
    throw new PullerError('VOLUME_INVALID', `a volume cannot have ${options.size} bytes`, {
      hint: 'the smallest has 16M',
    });
  }
  const record = { name, created: new Date().toISOString(), size, labels: { ...options.labels } };
  try {
    const temporary = (await unfinished(volumes)).newPath();
    try {
      await mkdir(temporary, { mode: 0o700 });
      await makeFileSystem(join(temporary, DISK_IMAGE), size, options.signal);
      await writeSynced(join(temporary, RECORD), `${JSON.stringify(record, null, 2)}\n`);
      await syncFolder(temporary);
      if (!(await publish(temporary, folder))) return undefined;
    } finally {
      // A folder that cannot be removed now is swept by the next call.
      await rm(temporary, { recursive: true, force: true }).catch(() => {});
    }
  } catch (error) {
    throw asVolumeError(error, `making volume ${name} in ${volumes}`);
  }
  return { ...record, disk: join(folder, DISK_IMAGE) };
}

/** @returns whether the name was free. An empty folder of that name makes room: it is no volume. */
async function publish(temporary: string, folder: string): Promise<boolean> {
  try {
    await rename(temporary, folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
  await syncFolder(dirname(folder));
  return true;
}

function exists(name: string): PullerError {
  return new PullerError('VOLUME_EXISTS', `there is a volume ${name} already`, {
    hint: `uk volume inspect ${name} shows it, uk volume rm ${name} removes it`,
  });
}
