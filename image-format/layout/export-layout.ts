// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ANNOTATION } from '../annotations.ts';
import type { Descriptor } from '../descriptor.ts';
import { digestAlgorithm, digestHex } from '../digest.ts';
import { ImageError } from '../errors.ts';
import { MEDIA_TYPE } from '../media-types.ts';
import { parseReference } from '../reference.ts';
import { storeError, syncFolder } from './durable.ts';
import { LAYOUT_FILE } from './open-store.ts';
import { reachableFrom } from './reach.ts';
import type { ContentStore } from './store.ts';

/**
 * Writes what a name reaches as an OCI image layout of its own, which `skopeo copy oci:DIR:TAG` and others read.
 *
 * @param dir made by this call; it must not exist or be empty
 * @throws ImageError `NOT_FOUND`, `STORE_IO`, `LAYOUT_INVALID`
 * @see image-spec image-layout.md
 */
export async function exportLayout(store: ContentStore, name: string, dir: string): Promise<void> {
  const root = await store.resolve(name);
  if (root === undefined) throw new ImageError('NOT_FOUND', `the store has no image called ${name}`);
  const blobs = await reachableFrom(store, root, { missing: 'throw' });
  const target = resolve(dir);
  let temporary: string | undefined;
  try {
    await mkdir(dirname(target), { recursive: true });
    temporary = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
    await chmod(temporary, 0o755);
    for (const blob of blobs) await copyBlob(store, blob, temporary);
    await writeFile(join(temporary, 'oci-layout'), LAYOUT_FILE);
    await writeFile(join(temporary, 'index.json'), index(root, name));
    await syncFolder(temporary);
    await rename(temporary, target);
    await syncFolder(dirname(target));
  } catch (cause) {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true }).catch(() => {});
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') {
      throw new ImageError('LAYOUT_INVALID', `there is something already: ${target}`, { cause });
    }
    throw storeError(cause, `writing the layout ${target}`);
  }
}

async function copyBlob(store: ContentStore, { digest }: Descriptor, root: string): Promise<void> {
  const folder = join(root, 'blobs', digestAlgorithm(digest));
  await mkdir(folder, { recursive: true });
  await copyFile(await store.path(digest), join(folder, digestHex(digest)), constants.COPYFILE_FICLONE);
}

function index(root: Descriptor, name: string): string {
  const annotations = { ...root.annotations, [ANNOTATION.refName]: refName(name) };
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [{ ...root, annotations }] });
}

/** In a layout of one image the tag is enough, and it is what tools expect behind the folder's name. */
function refName(name: string): string {
  try {
    return parseReference(name).tag ?? name;
  } catch {
    return name;
  }
}
