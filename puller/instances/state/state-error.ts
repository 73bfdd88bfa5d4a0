// SPDX-License-Identifier: Apache-2.0
import { PullerError } from '../../errors.ts';

/** Words for what the disk of the instances refuses; other errors are returned as they are. */
export function asInstanceError(error: unknown, doing: string): unknown {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined || typeof code !== 'string') return error;
  const hint = 'choose a store that you may write to (--store, UK_STORE)';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PullerError('STORE_IO', `no space left on the disk: ${doing}`, {
      cause: error,
      hint: 'free some space, or choose a store on another disk (--store, UK_STORE)',
    });
  }
  return new PullerError('STORE_IO', `${doing}: ${message}`, { cause: error, hint });
}
