// SPDX-License-Identifier: Apache-2.0
import { type Descriptor, type Digest, formatReference, type Reference } from '../../image-format/index.ts';
import type { ContentStore } from '../../image-format/layout/index.ts';
import type { PullSource, RemoteRegistry, TransferEvent, TransferPlan } from '../../image-format/remote/index.ts';
import type { Session } from './context.ts';
import { formatBytes } from './output/bytes.ts';
import type { Piece, Progress } from './output/progress.ts';
import { TransferMeter } from './output/transfer-meter.ts';
import { withTimeLimit } from './time-limit.ts';

export interface TransferFlags {
  plainHttp?: boolean;
  profile?: string;
}

export interface PullFlags extends TransferFlags {
  /** Bytes a second. */
  limitRate?: number;
  /** Milliseconds for everything. */
  timeout?: number;
  /** Milliseconds that a registry may send nothing. */
  readTimeout?: number;
  connections?: number;
  /** The folder of `<host>/hosts.toml`. */
  hostsDir?: string;
  /** Whether signatures are fetched, too. Default: yes. */
  signatures?: boolean;
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
  flags: PullFlags,
): Promise<Transferred> {
  const [result] = await pullAll(session, store, [reference], flags);
  if (result === undefined) throw new Error('pullAll() returns one result for each reference');
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

/** How an image is named that is fetched ahead of its use: by digest, so that no tag moves before it is pulled. */
const AHEAD = (reference: Reference) => (found: Descriptor) =>
  formatReference({ registry: reference.registry, repository: reference.repository, digest: found.digest });

/**
 * Fetches several images at once, over one line. One that fails does not stop the others.
 *
 * @param flags.ahead names the images by digest and leaves their tags alone
 * @returns for each reference what became of it, in their order
 */
export async function pullAll(
  session: Session,
  store: ContentStore,
  references: readonly Reference[],
  flags: PullFlags & { ahead?: boolean },
): Promise<PromiseSettledResult<Transferred>[]> {
  const { openLine, pullImage } = await import('../../image-format/remote/index.ts');
  const { limitRate, connections } = flags;
  const line = openLine({
    ...(limitRate === undefined ? {} : { bytesPerSecond: limitRate }),
    ...(connections === undefined ? {} : { connections }),
  });
  const progress = await session.output.progress();
  const shown = showPull(progress);
  try {
    return await withTimeLimit(flags.timeout, session.signal, async (signal) => {
      const one = async (reference: Reference) => {
        const options = {
          ...shown,
          line,
          signal,
          signatures: flags.signatures ?? true,
          ...(flags.profile === undefined ? {} : { profile: flags.profile }),
          ...(flags.ahead ? { name: AHEAD(reference) } : {}),
        };
        return await withSource(reference, flags, async (remote) => {
          const { descriptor, name } = await pullImage(reference, remote, store, options);
          return { name, digest: descriptor.digest, size: descriptor.size, mediaType: descriptor.mediaType };
        });
      };
      const results = await Promise.allSettled(references.map(one));
      // Interrupted or out of time: that is what happened to all of them.
      signal.throwIfAborted();
      return results;
    });
  } finally {
    progress.close();
  }
}

async function withSource<T>(
  reference: Reference,
  { plainHttp, readTimeout, hostsDir }: PullFlags,
  work: (remote: PullSource) => Promise<T>,
): Promise<T> {
  const { openSource } = await import('../../image-format/remote/index.ts');
  const remote = await openSource({
    registry: reference.registry,
    // A node at the edge waits for a line that comes back.
    attempts: PULL_ATTEMPTS,
    ...(plainHttp === undefined ? {} : { plainHttp }),
    ...(hostsDir === undefined ? {} : { hostsFolder: hostsDir }),
    ...(readTimeout === undefined ? {} : { readTimeoutMs: readTimeout }),
  });
  try {
    return await work(remote);
  } finally {
    await remote.close();
  }
}

const PULL_ATTEMPTS = 8;

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

/** Each blob, all of them together, and for each image what it needs. */
function showPull(progress: Progress): {
  onProgress: (event: TransferEvent) => void;
  onPlan: (plan: TransferPlan) => void;
} {
  const meter = new TransferMeter();
  const show = showTransfers(progress);
  let all: Piece | undefined;
  return {
    onPlan(plan) {
      progress.piece(plan.name, 'steps').done(describePlan(plan));
      if (plan.missing === 0) return;
      meter.expect(plan);
      all ??= progress.piece('all      that is missing');
    },
    onProgress(event) {
      show(event);
      if (event.outcome === 'exists' || event.what === 'manifest' || event.phase === 'start') return;
      meter.update(event.digest, event.transferred);
      all?.update({ done: meter.done, total: meter.total, text: meter.text });
      if (meter.done < meter.total) return;
      all?.done('fetched');
      // Another image may still bring more.
      all = undefined;
    },
  };
}

function describePlan({ blobs, total, shared, resumed, missing }: TransferPlan): string {
  const parts = [
    shared > 0 ? `${formatBytes(shared)} here already` : '',
    resumed > 0 ? `${formatBytes(resumed)} left by an earlier pull` : '',
    missing > 0 ? `${formatBytes(missing)} to fetch` : 'nothing to fetch',
  ];
  return `${blobs} blobs, ${formatBytes(total)}: ${parts.filter(Boolean).join(', ')}`;
}

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
