// SPDX-License-Identifier: Apache-2.0
import { RateLimit } from './rate-limit.ts';
import { Slots } from './slots.ts';

export interface LineOptions {
  /** Transfers of blobs at once. Default: 6. */
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
  rate: RateLimit;
  attempts: number;
  backoffMs: number;
}

export function openLine(options: LineOptions = {}): Line {
  const { connections = 6, bytesPerSecond = Number.POSITIVE_INFINITY, attempts = 8, backoffMs = 200 } = options;
  return { slots: new Slots(connections), rate: new RateLimit(bytesPerSecond), attempts, backoffMs };
}
