// SPDX-License-Identifier: Apache-2.0
import type { PullerError } from '../../errors.ts';
import { exitStatus } from '../../guest-contract/control-channel.ts';
import type { Records } from '../../guest-contract/frames.ts';
import type { AgentChannel } from './agent-channel.ts';
import type { AgentSession } from './agent-session.ts';

/** So much of what a check says is kept, as with container engines. */
const SAID_MAX = 4096;

/**
 * Runs a health check's command in the guest. One that takes too long is ended.
 *
 * @param records OPEN, whole
 * @returns undefined where it exits with 0, else what is wrong
 */
export function probeCommand(channel: AgentChannel, records: Records, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = Buffer.alloc(0);
    let session: AgentSession | undefined;
    const late = setTimeout(() => {
      session?.close();
      resolve(`the command took longer than ${timeoutMs / 1_000} s`);
    }, timeoutMs);
    const end = (wrong: string | undefined): void => {
      clearTimeout(late);
      resolve(wrong);
    };
    try {
      session = channel.open(records, {
        output: (_stream, bytes) => {
          said = Buffer.concat([said, bytes.subarray(0, SAID_MAX - said.length)]);
          session?.taken(bytes.length);
        },
        exited: (how) => end(exitStatus(how) === 0 ? undefined : `exit status ${exitStatus(how)}${lastWords(said)}`),
        failed: ({ message }) => end(message),
        broken: ({ message }) => end(message),
      });
    } catch (error) {
      end((error as PullerError).message);
    }
  });
}

function lastWords(said: Buffer): string {
  const text = said
    .toString('utf8')
    .trim()
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
  return text === '' ? '' : `: ${text.slice(0, 300)}`;
}
