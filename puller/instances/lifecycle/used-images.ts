// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../../../image-format/index.ts';
import { instanceFolders } from './find.ts';

/** The images of all instances. A record that cannot be read keeps nothing. */
export async function usedImages(instances: string): Promise<Descriptor[]> {
  const configs = await Promise.all(
    (await instanceFolders(instances)).map((folder) => folder.config().catch(() => undefined)),
  );
  return configs.flatMap((config) => (config === undefined ? [] : [config.image.descriptor]));
}
