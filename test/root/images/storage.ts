// SPDX-License-Identifier: Apache-2.0
// A storage of images for podman or buildah, in a folder of its own, so that the user's is not touched.
import { join } from 'node:path';
import { mustRun } from './command.ts';

/** vfs works wherever these tools run as root. */
const DRIVER = 'vfs';

/** The global options of podman and buildah. */
export function storageOptions(folder: string): string[] {
  return ['--storage-driver', DRIVER, '--root', join(folder, 'storage'), '--runroot', join(folder, 'run')];
}

/**
 * Brings an image into the storage. podman and buildah themselves would make the image's name of its path, which not every
 * path allows.
 *
 * @param image as containers/image names it: `oci:FOLDER:NAME`
 * @param name as the storage will name it
 */
export async function bringIn(folder: string, image: string, name: string): Promise<void> {
  const storage = `[${DRIVER}@${join(folder, 'storage')}+${join(folder, 'run')}]`;
  await mustRun(['skopeo', '--insecure-policy', 'copy', '--quiet', image, `containers-storage:${storage}${name}`], {
    env: { ...process.env, TMPDIR: folder },
  });
}
