// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from '../../descriptor.ts';
import type { ContentStore } from '../../layout/store.ts';
import type { PullSource } from '../remote.ts';
import { Report, type TransferOptions } from '../transfer.ts';
import { fetchMissing, type RangeSupport } from './fetch-blob.ts';
import type { Line } from './line.ts';

export interface BlobPull {
  repository: string;
  remote: PullSource;
  store: ContentStore;
  line: Line;
  /** What the blobs before this one have shown. Default: nothing. */
  ranges?: RangeSupport;
}

/**
 * Fetches one blob into the store, unless it is there. Wrong bytes are asked for again where somebody else may have the
 * right ones, and where they were left by an earlier pull, from who knows where.
 *
 * @throws ImageError
 */
export async function pullBlob(
  blob: Descriptor,
  { repository, remote, store, line, ranges = { known: false } }: BlobPull,
  options: TransferOptions,
): Promise<void> {
  const report = new Report(blob, options);
  const { signal } = options;
  const what = `pulling ${remote.registry}/${repository}@${blob.digest}`;
  const senders = new Set<string>();
  const fetch = {
    line,
    ranges,
    what,
    signal,
    open: async (range: Parameters<PullSource['openBlob']>[2], either: AbortSignal) => {
      const answer = await remote.openBlob(repository, blob, range, { signal: either });
      senders.add(answer.origin);
      return answer;
    },
    onCut: (origin: string) => void remote.blame?.(origin, blob.digest, 'cut'),
    onProgress: (received: number) => report.progress(received),
  };
  const abort = signal === undefined ? {} : { signal };
  const outcome = await store.receive(blob, (partial) => fetchMissing(partial, fetch), {
    ...abort,
    onMismatch: (resumed) => {
      // All who sent a part of it are suspects.
      const others = [...senders].map((origin) => remote.blame?.(origin, blob.digest, 'wrong') ?? false);
      senders.clear();
      return resumed || others.some(Boolean);
    },
  });
  report.done(outcome === 'exists' ? 'exists' : 'transferred');
}
