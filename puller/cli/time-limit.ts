// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../../image-format/index.ts';
import { formatDuration } from './output/transfer-meter.ts';

/**
 * Ends work that takes too long.
 *
 * @param limitMs undefined for no limit
 * @throws ImageError `REGISTRY_UNREACHABLE` when the time is over; the signal's reason when that is aborted
 */
export async function withTimeLimit<T>(
  limitMs: number | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (limitMs === undefined) return await work(signal);
  const limit = new AbortController();
  const over = new ImageError('REGISTRY_UNREACHABLE', `it has taken longer than ${formatDuration(limitMs)}`, {
    hint: 'pull again: it goes on where it stopped',
  });
  const timer = setTimeout(() => limit.abort(over), limitMs);
  try {
    return await work(AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
}
