// SPDX-License-Identifier: Apache-2.0
import type { BuiltLibc } from '../../kernel-build/index.ts';
import type { Session } from './context.ts';
import { buildPiece } from './kernel.ts';
import type { Progress } from './output/progress.ts';

/** Builds the libc, or takes it from the cache, and shows how far it is. */
export async function buildLibc(session: Session, progress: Progress, fresh?: boolean): Promise<BuiltLibc> {
  const { libcFor } = await import('../../kernel-build/index.ts');
  const piece = buildPiece(progress, 'libc ring0-musl');
  const libc = await libcFor({ signal: session.signal, fresh, onProgress: piece.onProgress });
  piece.done();
  return libc;
}
