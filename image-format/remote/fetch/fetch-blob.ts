// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../../errors.ts';
import type { BlockWriter } from '../../layout/partial/block-writer.ts';
import type { PartialBlob } from '../../layout/partial/partial-blob.ts';
import { backoff, pause } from '../backoff.ts';
import { concurrently } from '../concurrently.ts';
import type { BlobAnswer, Range } from './blob-range.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Slots } from './slots.ts';

/**
 * A larger blob is received in ranges of this size, several at once. It bounds what can be lost with a process that is
 * killed: no more is ever asked for than these ranges.
 */
export const CHUNK_SIZE = 4 * 1024 * 1024;
/** Ranges of one blob at once. */
export const RANGES = 4;

export interface FetchOptions {
  /** Asks for a range, or for all of it. */
  open: (range: Range | undefined, signal: AbortSignal) => Promise<BlobAnswer>;
  /** Told of each line that was cut. */
  onCut?: (origin: string) => void;
  /** Called with the bytes that are there. */
  onProgress: (received: number) => void;
  what: string;
  slots: Slots;
  rate: RateLimit;
  /** How often one range may be begun without a byte of it coming. */
  attempts: number;
  backoffMs: number;
  signal: AbortSignal | undefined;
}

/**
 * Receives what is missing of a blob: in closed ranges, several at once. A server that sends everything instead of a
 * range is taken at its word, and what is there already is skipped.
 *
 * @throws ImageError
 */
export async function fetchMissing(blob: PartialBlob, options: FetchOptions): Promise<void> {
  for (let gaps = blob.gaps(CHUNK_SIZE); gaps.length > 0; ) {
    const before = blob.received;
    await fetchGaps(blob, gaps, options);
    gaps = blob.gaps(CHUNK_SIZE);
    if (gaps.length > 0 && blob.received <= before) throw endsEarly(options.what, blob);
  }
}

async function fetchGaps(blob: PartialBlob, gaps: readonly Range[], options: FetchOptions): Promise<void> {
  const [first] = gaps;
  // Whether the server knows ranges shows in its first answer; the other ranges wait for that.
  const ranged = Promise.withResolvers<boolean>();
  await concurrently(gaps, RANGES, options.signal, async (gap, signal) => {
    if (gap !== first && !(await ranged.promise)) return;
    try {
      await options.slots.run(signal, () => fetchGap(blob, gap, { ...options, signal }, ranged.resolve));
    } finally {
      // Has no effect if there was an answer.
      if (gap === first) ranged.resolve(false);
    }
  });
}

async function fetchGap(
  blob: PartialBlob,
  gap: Range,
  options: FetchOptions & { signal: AbortSignal },
  answered: (ranged: boolean) => void,
): Promise<void> {
  const { attempts, backoffMs, signal, what } = options;
  // Who asks for everything needs no range, and fewer servers fail at it.
  const isAll = gap.start === 0 && gap.end === blob.size;
  let writer = blob.writer(gap.start);
  let failures = 0;
  // Bytes that come again and again are no progress.
  let most = blob.received;
  try {
    while (writer.position < gap.end) {
      const { position } = writer;
      const range = isAll && position === 0 ? undefined : { start: position, end: gap.end };
      const answer = await options.open(range, signal);
      answered(answer.end <= gap.end);
      // A server without ranges has begun anew: what is there is skipped, and other gaps may be filled as well.
      const begunAnew = answer.start !== position;
      if (begunAnew) {
        writer.abandon();
        writer = blob.writer(answer.start);
      }
      const cut = await receive(answer, writer, blob, options);
      failures = blob.received > most ? 1 : failures + 1;
      most = Math.max(most, blob.received);
      if (begunAnew) {
        writer.abandon();
        writer = blob.writer(firstMissing(blob, gap));
      }
      if (writer.position >= gap.end) return;
      if (cut !== undefined) options.onCut?.(answer.origin);
      if (failures >= attempts) throw cut === undefined ? endsEarly(what, blob) : cutAgain(what, blob, cut);
      await pause(backoff(failures, backoffMs), signal);
    }
  } finally {
    writer.abandon();
  }
}

function firstMissing(blob: PartialBlob, { start, end }: Range): number {
  const next = blob.gaps(blob.size).find((gap) => gap.end > start);
  return next === undefined ? end : Math.max(next.start, start);
}

/** @returns what cut the answer before its end */
async function receive(
  answer: BlobAnswer,
  writer: BlockWriter,
  blob: PartialBlob,
  { rate, onProgress, signal, what }: FetchOptions,
): Promise<ImageError | undefined> {
  try {
    for await (const chunk of answer.body) {
      if (writer.position + chunk.length > answer.end) {
        throw new ImageError('SIZE_MISMATCH', `${what}: the registry sends more than the bytes that it was asked for`);
      }
      await rate.take(chunk.length, signal);
      await writer.write(chunk);
      onProgress(blob.received);
    }
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImageError && error.code === 'REGISTRY_UNREACHABLE') return error;
    throw error;
  }
}

function endsEarly(what: string, blob: PartialBlob): ImageError {
  return new ImageError('REGISTRY_ERROR', `${what}: the registry stops after ${blob.received} of ${blob.size} bytes`);
}

function cutAgain(what: string, blob: PartialBlob, cause: ImageError): ImageError {
  const message = `${what}: it is cut again and again, after ${blob.received} of ${blob.size} bytes: ${cause.message}`;
  return new ImageError(cause.code, message, { cause, hint: 'pull again: it goes on where it stopped' });
}
