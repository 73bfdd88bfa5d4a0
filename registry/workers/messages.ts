// SPDX-License-Identifier: Apache-2.0
import type { RegistryConfig } from '../config/schema.ts';
import type { MetricsSnapshot } from '../operations/metrics.ts';
import type { LockAnswer, LockRequest } from './lock-messages.ts';

/** From the primary process to a worker. */
export type ToWorker =
  | LockAnswer
  /** Always the first one. `claim` is there where a folder is shared. */
  | { type: 'start'; config: RegistryConfig; claim?: number }
  /** Comes with a socket. Answered by `accepted` with the same number, from when on it is the worker's. */
  | { type: 'connection'; id: number }
  /** Answered by `counted` with the same number. */
  | { type: 'count'; id: number }
  /** The answer to `count-all` with that number. */
  | { type: 'counted-all'; id: number; snapshots: MetricsSnapshot[] }
  | { type: 'reload' }
  | { type: 'drain' }
  /** Let requests under way end, then end. */
  | { type: 'stop' };

/** From a worker to its primary process. */
export type ToPrimary =
  | LockRequest
  /** From now on it takes connections. */
  | { type: 'ready' }
  | { type: 'accepted'; id: number }
  | { type: 'failed'; code: string; message: string; hint?: string }
  | { type: 'counted'; id: number; snapshot: MetricsSnapshot }
  | { type: 'count-all'; id: number };
