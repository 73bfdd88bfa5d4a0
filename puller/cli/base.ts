// SPDX-License-Identifier: Apache-2.0
import type { StackedRequest } from '../../image-format/build/index.ts';
import { type Descriptor, parseReference } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import type { Session } from './context.ts';
import type { Progress } from './output/progress.ts';
import { canonicalName, resolveLocal } from './references.ts';
import { pull } from './transfer.ts';

export interface BaseFlags {
  fromImage?: string;
  rootfs?: string;
  compression: 'zstd' | 'gzip';
}

type Base = Pick<StackedRequest, 'base' | 'execution'>;

/** What an image is built on: a container image, a root file system, or nothing. */
export async function chosenBase(
  session: Session,
  store: ContentStore,
  progress: Progress,
  { fromImage, rootfs, compression }: BaseFlags,
): Promise<Base | undefined> {
  if (fromImage !== undefined) return await containerImage(session, store, fromImage);
  if (rootfs === undefined) return undefined;
  const { rootfsLayer } = await import('../../image-format/build/index.ts');
  const piece = progress.piece('root file system', 'steps');
  const layer = await rootfsLayer(rootfs, store, {
    compression,
    signal: session.signal,
    onProgress: ({ files, warning }) => {
      if (warning !== undefined) session.output.note(`uk: warning: ${warning}`);
      if (files !== undefined) piece.update({ text: `${files} files` });
    },
  });
  piece.done('read');
  return { base: [layer], execution: {} };
}

/** What a container image gives to a new one. It comes from the store, a registry or this machine. */
async function containerImage(session: Session, store: ContentStore, text: string): Promise<Base> {
  const [{ importImage, parseSource }, { readContainerImage }] = await Promise.all([
    import('../../image-format/import/index.ts'),
    import('../../image-format/build/index.ts'),
  ]);
  const source = parseSource(text);
  const descriptor =
    source === undefined
      ? await storedImage(session, store, text)
      : await importImage(store, source, { signal: session.signal });
  const { layers, config } = await readContainerImage(store, descriptor);
  return { base: layers, execution: config.config ?? {} };
}

/** What a reference stands for; it is pulled where the store does not have it. */
async function storedImage(session: Session, store: ContentStore, text: string): Promise<Descriptor> {
  if ((await store.resolve(canonicalName(text))) === undefined) await pull(session, store, parseReference(text), {});
  return (await resolveLocal(store, text)).descriptor;
}
