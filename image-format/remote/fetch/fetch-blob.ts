// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../../errors.ts';
import type { BlockWriter } from '../../layout/partial/block-writer.ts';
import { BLOCK_SIZE } from '../../layout/partial/journal.ts';
import type { PartialBlob } from '../../layout/partial/partial-blob.ts';
import { backoff, pause } from '../backoff.ts';
import { concurrently } from '../concurrently.ts';
import type { BlobAnswer, Range } from './blob-range.ts';
import { GapQueue } from './gap-queue.ts';
import type { Line } from './line.ts';
import { Silence } from './silence.ts';
import type { Hold } from './window.ts';

/** Whether a source has answered with a range before. Until then one request goes ahead of the others. */
export interface RangeSupport {
  known: boolean;
}

export interface FetchOptions {
  /** Asks for a range, or for all of it. */
  open: (range: Range | undefined, signal: AbortSignal) => Promise<BlobAnswer>;
  /** Told of each line that was cut. */
  onCut?: (origin: string) => void;
  /** Called with the bytes that are there. */
  onProgress: (received: number) => void;
  what: string;
  line: Line;
  ranges: RangeSupport;
  signal: AbortSignal | undefined;
}

/**
 * Receives what is missing of a blob: in closed ranges, several at once. A server that sends everything instead of a
 * range is taken at its word, and what is there already is skipped.
 *
 * @throws ImageError
 */
export async function fetchMissing(blob: PartialBlob, options: FetchOptions): Promise<void> {
  for (let gaps = blob.gaps(blob.size); gaps.length > 0; ) {
    const before = blob.received;
    await fetchGaps(blob, new GapQueue(gaps), options);
    gaps = blob.gaps(blob.size);
    if (gaps.length > 0 && blob.received <= before) throw endsEarly(options.what, blob);
  }
}

async function fetchGaps(blob: PartialBlob, gaps: GapQueue, options: FetchOptions): Promise<void> {
  const { line, ranges } = options;
  const { slots, pace } = line;
  const ranged = Promise.withResolvers<boolean>();
  if (ranges.known) ranged.resolve(true);
  if (slots.isIdle) pace.rested();
  const workers = Array.from({ length: pace.most }, (_, number) => number);
  await concurrently(workers, workers.length, options.signal, async (number, signal) => {
    const isFirst = number === 0;
    if (!isFirst && !(await ranged.promise)) return;
    try {
      while (!gaps.isEmpty) {
        await slots.run(signal, async () => {
          const gap = gaps.take(pace.rangeSize);
          if (gap !== undefined) await fetchGap(blob, gap, { ...options, signal }, ranged.resolve);
        });
      }
    } finally {
      // Has no effect if there was an answer.
      if (isFirst) ranged.resolve(false);
    }
  });
}

async function fetchGap(
  blob: PartialBlob,
  gap: Range,
  options: FetchOptions & { signal: AbortSignal },
  answered: (ranged: boolean) => void,
): Promise<void> {
  const { ranges, line, signal, what } = options;
  const start = blob.firstMissing(gap.start, gap.end);
  if (start >= gap.end) return;
  // Who asks for everything needs no range, and fewer servers fail at it.
  const isAll = gap.start === 0 && gap.end === blob.size;
  const hold = await line.window.take(gap.end - start, signal);
  let writer = blob.writer(start);
  let failures = 0;
  let stalls = 0;
  // Bytes that come again and again are no progress.
  let most = blob.received;
  try {
    while (writer.position < gap.end) {
      const { position } = writer;
      const range = isAll && position === 0 ? undefined : { start: position, end: gap.end };
      // Only where ranges are known does asking again cost nothing, and has the server answered before.
      const silence = new Silence(ranges.known ? stalls : undefined);
      const answer = await ask(range, silence, options);
      if (answer instanceof ImageError) {
        stalls++;
        continue;
      }
      if (range !== undefined && answer.end <= gap.end) ranges.known = true;
      answered(answer.end <= gap.end);
      // A server without ranges has begun anew: what is there is skipped, and other gaps may be filled as well.
      const begunAnew = answer.start !== position;
      if (begunAnew) {
        writer.abandon();
        writer = blob.writer(answer.start);
      }
      const cut = await receive(answer, writer, blob, { ...options, gap, hold, silence });
      failures = blob.received > most ? 1 : failures + 1;
      stalls = blob.received > most ? 0 : stalls;
      most = Math.max(most, blob.received);
      if (begunAnew) {
        writer.abandon();
        writer = blob.writer(blob.firstMissing(gap.start, gap.end));
      }
      if (writer.position >= gap.end) return;
      if (silence.isBroken) {
        stalls++;
        continue;
      }
      if (cut !== undefined) options.onCut?.(answer.origin);
      if (failures >= line.attempts) throw cut === undefined ? endsEarly(what, blob) : cutAgain(what, blob, cut);
      await pause(backoff(failures, line.backoffMs), signal);
    }
  } finally {
    writer.abandon();
    hold.keep(0);
  }
}

/** @returns the answer, or why it was waited for in vain */
async function ask(
  range: Range | undefined,
  silence: Silence,
  { open, signal }: FetchOptions & { signal: AbortSignal },
): Promise<BlobAnswer | ImageError> {
  try {
    silence.listen();
    const answer = await open(range, AbortSignal.any([signal, silence.signal]));
    silence.rest();
    return answer;
  } catch (error) {
    silence.end();
    signal.throwIfAborted();
    if (silence.isBroken && error instanceof ImageError) return error;
    throw error;
  }
}

/** @returns what cut the answer before its end */
async function receive(
  answer: BlobAnswer,
  writer: BlockWriter,
  blob: PartialBlob,
  { line, onProgress, signal, what, gap, hold, silence }: FetchOptions & { gap: Range; hold: Hold; silence: Silence },
): Promise<ImageError | undefined> {
  const { pace, rate, slots } = line;
  try {
    silence.listen();
    for await (const chunk of answer.body) {
      silence.rest();
      if (writer.position + chunk.length > answer.end) {
        throw new ImageError('SIZE_MISMATCH', `${what}: the registry sends more than the bytes that it was asked for`);
      }
      await rate.take(chunk.length, signal);
      await writer.write(chunk);
      if (pace.received(chunk.length)) slots.resize(pace.connections);
      const kept = writer.position === blob.size ? blob.size : writer.position - (writer.position % BLOCK_SIZE);
      if (kept > gap.start) hold.keep(gap.end - kept);
      onProgress(blob.received);
      silence.listen();
    }
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImageError && error.code === 'REGISTRY_UNREACHABLE') return error;
    throw error;
  } finally {
    silence.end();
  }
}

function endsEarly(what: string, blob: PartialBlob): ImageError {
  return new ImageError('REGISTRY_ERROR', `${what}: the registry stops after ${blob.received} of ${blob.size} bytes`);
}

function cutAgain(what: string, blob: PartialBlob, cause: ImageError): ImageError {
  const message = `${what}: it is cut again and again, after ${blob.received} of ${blob.size} bytes: ${cause.message}`;
  return new ImageError(cause.code, message, { cause, hint: 'pull again: it goes on where it stopped' });
}
