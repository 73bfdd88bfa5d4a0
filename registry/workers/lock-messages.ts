// SPDX-License-Identifier: Apache-2.0

/*
 * What a worker and its primary process say to each other about locks. `lock` waits its turn or, with `wait` false,
 * hears at once that somebody else holds the key; `unlock` has no answer.
 */

export type LockRequest = { type: 'lock'; id: number; key: string; wait: boolean } | { type: 'unlock'; id: number };

export interface LockAnswer {
  type: 'locked';
  id: number;
  /** False where the key is another's, which only `wait: false` can hear. */
  held: boolean;
}
