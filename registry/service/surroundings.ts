// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';

/** What a service takes from outside of the store. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  now(): number;
  /** Unique among all processes, for all time; letters, digits and `-`. */
  uniqueId(): string;
}

export const SYSTEM: Surroundings = { now: () => Date.now(), uniqueId: () => randomUUID() };
