// SPDX-License-Identifier: Apache-2.0
import type { VolumeRequest } from '../volumes/request.ts';
import type { InstanceMount } from './storage.ts';

/**
 * Finds or makes the volumes that an instance is to have. Without named volumes nothing is loaded or touched.
 *
 * @param volumes folder of the named volumes
 * @throws PullerError `VOLUME_IN_USE`, `TOOL_MISSING`, `STORE_IO`
 */
export async function resolveMounts(
  requests: readonly VolumeRequest[],
  volumes: string,
  signal?: AbortSignal,
): Promise<InstanceMount[]> {
  const mounts: InstanceMount[] = [];
  for (const request of requests) mounts.push(await mountOf(request, volumes, signal));
  return mounts;
}

async function mountOf(request: VolumeRequest, volumes: string, signal?: AbortSignal): Promise<InstanceMount> {
  switch (request.kind) {
    case 'folder':
      return request;
    case 'tmpfs': {
      const { path, options, copy = false } = request;
      return { kind: 'tmpfs', path, options, populate: copy };
    }
    case 'named': {
      const [{ ensureVolume }, { checkUsable }, { needsReplay }] = await Promise.all([
        import('../volumes/create.ts'),
        import('../volumes/in-use.ts'),
        import('../volumes/journal.ts'),
      ]);
      const { name, path, readOnly, copy } = request;
      const volume = await ensureVolume(volumes, name, signal === undefined ? {} : { signal });
      const replay = await needsReplay(volume);
      await checkUsable(volume, readOnly && !replay);
      return { kind: 'disk', file: volume.disk, path, readOnly, populate: copy, replay };
    }
  }
}
