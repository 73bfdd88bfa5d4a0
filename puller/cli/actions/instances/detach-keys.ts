// SPDX-License-Identifier: Apache-2.0
import { Transform } from 'node:stream';
import { CliError } from '../../errors.ts';

export const DETACH_KEYS = 'ctrl-p,ctrl-q';

/**
 * `ctrl-p,ctrl-q`, `ctrl-x`, `a,b`: the bytes that the keys are on a terminal.
 *
 * @throws CliError `USAGE`
 */
export function parseDetachKeys(text: string): Buffer {
  const bytes = text.split(',').map((key) => {
    const [, letter] = /^ctrl-([a-z@[\\\]^_])$/.exec(key) ?? [];
    if (letter !== undefined) return letter.toUpperCase().charCodeAt(0) & 0x1f;
    if (/^[a-zA-Z]$/.test(key)) return key.charCodeAt(0);
    throw new CliError('USAGE', `these are no keys: ${JSON.stringify(text)}`, {
      hint: `write letters and ctrl-LETTER with commas between them, as in ${DETACH_KEYS}`,
    });
  });
  return Buffer.from(bytes);
}

/**
 * Passes on what is typed, until the keys are. They may come in several pieces; what has begun like them and went on
 * otherwise is passed on whole.
 */
export function watchKeys(keys: Buffer, detach: () => void): Transform {
  let matched = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const out: number[] = [];
      for (const byte of chunk) {
        if (byte !== keys[matched]) {
          out.push(...keys.subarray(0, matched));
          matched = 0;
        }
        if (byte === keys[matched]) matched++;
        else out.push(byte);
        if (matched < keys.length) continue;
        detach();
        matched = 0;
        break;
      }
      done(null, Buffer.from(out));
    },
  });
}
