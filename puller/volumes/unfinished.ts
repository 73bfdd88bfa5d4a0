// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IngestFolder, syncFolder } from '../../image-format/layout/index.ts';

/** Not a volume's name, so it cannot be in the way of one. It lies beside the volumes, so that a rename is enough. */
const FOLDER = '.unfinished';

/** The folder of volumes that are being made or removed. What processes left in it that were killed is removed. */
export async function unfinished(volumes: string): Promise<IngestFolder> {
  const first = await mkdir(volumes, { recursive: true });
  // A folder that was made is on the disk when the one above it is.
  for (let made = volumes; first !== undefined && made.startsWith(first); made = dirname(made)) {
    await syncFolder(dirname(made));
  }
  return await IngestFolder.open(join(volumes, FOLDER));
}
