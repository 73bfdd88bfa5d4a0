// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallsFiles } from '../../image-format/build/index.ts';
import type { Session } from './context.ts';

/** What an image is to be given so that its glibc calls the kernel by jumps; `remove` when the image is built. */
export async function callsFiles(session: Session): Promise<CallsFiles & { remove: () => Promise<void> }> {
  const { buildCalls } = await import('../../kernel-build/index.ts');
  const folder = await mkdtemp(join(tmpdir(), 'uk-calls-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    return { ...(await buildCalls(folder, { signal: session.signal })), remove };
  } catch (cause) {
    await remove();
    throw cause;
  }
}
