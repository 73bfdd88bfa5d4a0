// SPDX-License-Identifier: Apache-2.0
import { BLOCK_SIZE } from '../../layout/partial/journal.ts';
import { Pace } from './pace.ts';
import { RateLimit } from './rate-limit.ts';
import { Slots } from './slots.ts';
import { Window } from './window.ts';

/**
 * One chunk: no more than these bytes are ever asked for and not yet kept, by all transfers of a line together. So it is
 * the most that comes a second time after a kill or a cut. Each connection asks for a part of it.
 */
export const CHUNK_SIZE = 4 * 1024 * 1024;
/** Connections at once, where more are worth it. */
const MOST_CONNECTIONS = 16;
/** More connections cannot carry more than a limit allows. */
const CONNECTIONS_WITH_LIMIT = 4;

export interface LineOptions {
  /** Transfers of blobs at once, at most. Default: 16, or 4 with a limit of bytes a second. */
  connections?: number;
  /** Default: no limit. */
  bytesPerSecond?: number;
  /** How often a transfer may be begun without a byte of it coming. Default: 8. */
  attempts?: number;
  /** Milliseconds before the second attempt, at most; it doubles. Default: 200. */
  backoffMs?: number;
}

/** The way to the network of everything that is pulled at once, with its limits. */
export interface Line {
  slots: Slots;
  window: Window;
  pace: Pace;
  rate: RateLimit;
  attempts: number;
  backoffMs: number;
}

export function openLine(options: LineOptions = {}): Line {
  const { bytesPerSecond = Number.POSITIVE_INFINITY, attempts = 8, backoffMs = 200 } = options;
  const isLimited = bytesPerSecond < Number.POSITIVE_INFINITY;
  const most = options.connections ?? (isLimited ? CONNECTIONS_WITH_LIMIT : MOST_CONNECTIONS);
  const pace = new Pace({ most, window: CHUNK_SIZE, block: BLOCK_SIZE });
  return {
    slots: new Slots(pace.connections),
    window: new Window(CHUNK_SIZE),
    pace,
    rate: new RateLimit(bytesPerSecond),
    attempts,
    backoffMs,
  };
}
