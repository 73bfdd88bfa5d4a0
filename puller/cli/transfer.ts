// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, type Digest, formatReference, type Reference } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import type { RemoteRegistry, TransferEvent } from '../../image-format/remote/index.ts';
import type { Session } from './context.ts';
import type { Piece, Progress } from './output/progress.ts';

export interface TransferFlags {
  plainHttp?: boolean;
  profile?: string;
}

export interface Transferred {
  name: string;
  digest: Digest;
  size: number;
  mediaType: string;
}

/** Sends what a name of the store stands for; shows each blob. */
export async function push(
  session: Session,
  store: ContentStore,
  name: string,
  reference: Reference,
  flags: TransferFlags,
): Promise<Transferred> {
  const { pushImage } = await import('../../image-format/remote/index.ts');
  return withRemote(session, reference, flags, async (remote, onProgress) =>
    transferred(reference, await pushImage(store, name, reference, remote, { onProgress, signal: session.signal })),
  );
}

/** Fetches an image into the store, under its reference. */
export async function pull(
  session: Session,
  store: ContentStore,
  reference: Reference,
  flags: TransferFlags,
): Promise<Transferred> {
  const { pullImage } = await import('../../image-format/remote/index.ts');
  return withRemote(session, reference, flags, async (remote, onProgress) => {
    const options = {
      onProgress,
      signal: session.signal,
      ...(flags.profile === undefined ? {} : { profile: flags.profile }),
    };
    return transferred(reference, (await pullImage(reference, remote, store, options)).descriptor);
  });
}

async function withRemote<T>(
  session: Session,
  reference: Reference,
  flags: TransferFlags,
  work: (remote: RemoteRegistry, onProgress: (event: TransferEvent) => void) => Promise<T>,
): Promise<T> {
  const { openRemote } = await import('../../image-format/remote/index.ts');
  const remote = openRemote({
    registry: reference.registry,
    ...(flags.plainHttp === undefined ? {} : { plainHttp: flags.plainHttp }),
  });
  const progress = await session.output.progress();
  try {
    return await work(remote, showTransfers(progress));
  } finally {
    progress.close();
    await remote.close();
  }
}

const OUTCOME = { exists: 'already there', mounted: 'mounted', transferred: 'done' } as const;

function showTransfers(progress: Progress): (event: TransferEvent) => void {
  const pieces = new Map<string, Piece>();
  return ({ digest, what, phase, size, transferred: done, outcome }) => {
    let piece = pieces.get(digest);
    if (piece === undefined) {
      piece = progress.piece(`${(what ?? 'blob').padEnd(8)} ${digest.slice(0, 19)}`);
      pieces.set(digest, piece);
    }
    piece.update({ done, total: size });
    if (phase === 'done') piece.done(OUTCOME[outcome ?? 'transferred']);
  };
}

function transferred(reference: Reference, { digest, size, mediaType }: Descriptor): Transferred {
  return { name: formatReference(reference), digest, size, mediaType };
}
