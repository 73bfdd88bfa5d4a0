// SPDX-License-Identifier: Apache-2.0
import type { Session } from '../context.ts';
import { buildLibc } from '../libc.ts';

export interface LibcFlags {
  fetch?: boolean;
}

export async function buildLibcOf(session: Session, flags: LibcFlags): Promise<undefined> {
  const progress = await session.output.progress();
  try {
    const libc = await buildLibc(session, progress, flags.fetch);
    session.output.result(libc, () => libc.gcc);
  } finally {
    progress.close();
  }
  return undefined;
}
