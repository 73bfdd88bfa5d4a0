// SPDX-License-Identifier: Apache-2.0
import type { InstanceMount, VolumeRequest } from '../index.ts';
import type { Session } from './context.ts';
import { type VolumeFlags, volumeRequests } from './volume-options.ts';

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
  const mounts: InstanceMount[] = [];
  for (const request of volumeRequests(flags)) mounts.push(await mountOf(session, request));
  const disk = flags.disk === undefined ? undefined : await scratchDisk(session, flags.disk);
  return {
    mounts,
    readOnly: flags.readOnly ?? false,
    scratch: disk?.file,
    close: async () => await disk?.close(),
  };
}

async function mountOf(session: Session, request: VolumeRequest): Promise<InstanceMount> {
  switch (request.kind) {
    case 'folder':
      return request;
    case 'tmpfs': {
      const { path, options, copy = false } = request;
      return { kind: 'tmpfs', path, options, populate: copy };
    }
    case 'named': {
      const { checkUsable, ensureVolume, needsReplay } = await import('../index.ts');
      const { name, path, readOnly, copy } = request;
      const volume = await ensureVolume(await session.volumesFolder(), name, { signal: session.signal });
      const replay = await needsReplay(volume);
      await checkUsable(volume, readOnly && !replay);
      return { kind: 'disk', file: volume.disk, path, readOnly, populate: copy, replay };
    }
  }
}

async function scratchDisk(session: Session, size: number) {
  const [{ makeScratchDisk }, { cacheFolder }] = await Promise.all([
    import('../index.ts'),
    import('../store/folders.ts'),
  ]);
  return makeScratchDisk(cacheFolder(), size, session.signal);
}
