// SPDX-License-Identifier: Apache-2.0
import { parseReference } from '../../../image-format/index.ts';
import type { Session } from '../context.ts';
import { pinnedName, resolveLocal } from '../references.ts';
import { type PullFlags, pullAll, push, type TransferFlags } from '../transfer.ts';

export async function pushImage(
  session: Session,
  image: string,
  destination: string | undefined,
  flags: TransferFlags,
): Promise<undefined> {
  const store = await session.openStore();
  const { name } = await resolveLocal(store, image);
  const result = await push(session, store, name, parseReference(destination ?? image), flags);
  session.output.result(result, () => pinnedName(result.name, result.digest));
}

export async function pullImages(session: Session, images: string[], flags: PullFlags): Promise<number> {
  return await fetchImages(session, images, flags);
}

/** Fetches images without moving a tag: what is asked for by tag later is there already. */
export async function prefetchImages(session: Session, images: string[], flags: PullFlags): Promise<number> {
  return await fetchImages(session, images, { ...flags, ahead: true });
}

async function fetchImages(
  session: Session,
  images: string[],
  flags: PullFlags & { ahead?: boolean },
): Promise<number> {
  const store = await session.openStore();
  const references = [...new Set(images)].map(parseReference);
  const results = await pullAll(session, store, references, flags);
  const [first] = results;
  // Of one image the error is the command's own.
  if (results.length === 1 && first?.status === 'rejected') throw first.reason;
  const pulled = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  session.output.result(results.length === 1 ? pulled[0] : pulled, () =>
    pulled.map(({ name, digest }) => pinnedName(name, digest)).join('\n'),
  );
  let status = 0;
  for (const result of results) {
    if (result.status === 'rejected') status = session.output.failure(result.reason);
  }
  return status;
}
