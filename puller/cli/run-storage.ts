// SPDX-License-Identifier: Apache-2.0
import type { InstanceMount } from '../index.ts';
import type { Session } from './context.ts';
import { type VolumeFlags, volumeRequests } from './options/volume-options.ts';

export interface StorageFlags extends VolumeFlags {
  readOnly?: boolean;
  /** Bytes. */
  disk?: number;
}

/** What an instance is given beside its image, until `close`. */
export interface RunStorage {
  mounts: InstanceMount[];
  readOnly: boolean;
  scratch: string | undefined;
  close(): Promise<void>;
}

/**
 * Finds or makes what the command line asks for. Whoever asks for nothing loads and touches nothing.
 *
 * @throws CliError `USAGE`; PullerError `VOLUME_IN_USE`, `TOOL_MISSING`, `STORE_IO`
 */
export async function openStorage(session: Session, flags: StorageFlags): Promise<RunStorage> {
  const mounts = await mountsOf(session, flags);
  const disk = flags.disk === undefined ? undefined : await scratchDisk(session, flags.disk);
  return {
    mounts,
    readOnly: flags.readOnly ?? false,
    scratch: disk?.file,
    close: async () => await disk?.close(),
  };
}

async function mountsOf(session: Session, flags: StorageFlags): Promise<InstanceMount[]> {
  const requests = volumeRequests(flags);
  if (requests.length === 0) return [];
  const { resolveMounts } = await import('../index.ts');
  return await resolveMounts(requests, await session.volumesFolder(), session.signal);
}

async function scratchDisk(session: Session, size: number) {
  const [{ makeScratchDisk }, { cacheFolder }] = await Promise.all([
    import('../index.ts'),
    import('../store/folders.ts'),
  ]);
  return makeScratchDisk(cacheFolder(), size, session.signal);
}
