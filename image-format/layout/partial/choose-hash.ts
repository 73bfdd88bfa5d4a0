// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';
import { type FileHash, HashHere } from './file-hash.ts';
import { HashThread } from './hash-thread.ts';

/** A smaller blob is hashed sooner than a thread has begun. */
const WORTH_A_THREAD = 32 * 1024 * 1024;

/** @param size bytes that will be hashed */
export function chooseHash(file: FileHandle, algorithm: string, size: number): FileHash {
  return size < WORTH_A_THREAD ? new HashHere(file, algorithm) : new HashThread(file.fd, algorithm);
}
