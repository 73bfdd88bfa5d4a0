// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddedPath } from '../../image-format/build/index.ts';
import type { Session } from './context.ts';

/** What an image is to be given so that its glibc calls the kernel by jumps; `remove` when the image is built. */
export async function callsFiles(session: Session): Promise<{ adds: AddedPath[]; remove: () => Promise<void> }> {
  const { buildCalls, CALLS_PATHS } = await import('../../kernel-build/index.ts');
  const folder = await mkdtemp(join(tmpdir(), 'uk-calls-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const { library, preload } = await buildCalls(folder, { signal: session.signal });
    await Promise.all([chmod(library, 0o644), chmod(preload, 0o644)]);
    const adds: AddedPath[] = [
      { source: library, destination: CALLS_PATHS.library, layer: 'deps' },
      { source: preload, destination: CALLS_PATHS.preload, layer: 'deps' },
    ];
    return { adds, remove };
  } catch (cause) {
    await remove();
    throw cause;
  }
}
