// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { RegistryError } from '../../errors.ts';
import type { DataState } from '../contract.ts';
import type { ETag } from './bucket.ts';
import type { Part } from './multipart.ts';

/** The end of the data, below a part's size: an object of its own, written once. */
export interface Tail {
  path: string;
  size: number;
  etag: ETag;
}

/**
 * Where data stands on S3: `parts` of the multipart upload `upload`, numbered from 1 on, then the tail.
 *
 * Everything that a state names was written before it and is never written again, so that two requests which begin at
 * the same state cannot spoil it. Objects that only the state before needed are `stale`: they go with the next step,
 * when the caller has made this state the valid one.
 */
export interface S3DataState extends DataState {
  readonly upload?: string;
  readonly parts?: readonly ETag[];
  readonly tail?: Tail;
  readonly stale?: readonly string[];
  /** Bytes of the end that this process holds in memory, as the data is about to be completed. */
  readonly inMemory?: number;
}

const schema = z.object({
  key: z.string(),
  size: z.int().nonnegative(),
  upload: z.string().optional(),
  parts: z.array(z.string()).optional(),
  tail: z.object({ path: z.string(), size: z.int().positive(), etag: z.string() }).optional(),
  stale: z.array(z.string()).optional(),
  inMemory: z.int().positive().optional(),
});

/** @throws RegistryError `DATA_UNKNOWN` for what this driver never answered */
export function readState(state: DataState): S3DataState {
  const read = schema.safeParse(state);
  if (read.success) return state as S3DataState;
  throw dataUnknown(state.key, 'its state was written by another storage driver');
}

export function partsOf(state: S3DataState): Part[] {
  return (state.parts ?? []).map((etag, at) => ({ number: at + 1, etag }));
}

/** Bytes in parts. */
export function sizeOfParts(state: S3DataState): number {
  return state.size - (state.tail?.size ?? 0) - (state.inMemory ?? 0);
}

export function dataUnknown(key: string, why: string, cause?: unknown): RegistryError {
  return new RegistryError('DATA_UNKNOWN', `no data ${key}: ${why}`, { cause });
}
