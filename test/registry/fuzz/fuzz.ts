// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { pusher } from '../content.ts';
import { exchange, judge } from './judge.ts';
import { bytesOf, LAYER, malformed, request, shown } from './requests.ts';

export interface FuzzOptions {
  /** The same one makes the same requests. */
  seed: number;
  /** Requests of each kind, at most. */
  runs: number;
  /** Milliseconds, at most. */
  limitMs?: number;
}

/**
 * Sends requests at random to a registry, whole ones and torn ones, one after the other; some of them push and delete
 * what others ask for.
 *
 * @throws Error with the smallest request that was answered wrongly
 * @returns how many were sent
 */
export async function fuzz(url: string, { seed, runs, limitMs }: FuzzOptions): Promise<number> {
  const port = Number(new URL(url).port);
  for (const repository of ['fuzz', 'fuzz/deep/er']) await pusher(url).image(repository, 't', LAYER);
  let sent = 0;
  const parameters = {
    seed,
    numRuns: runs,
    ...(limitMs === undefined ? {} : { interruptAfterTimeLimit: limitMs / 2, markInterruptAsFailure: false }),
  };
  await fc.assert(
    fc.asyncProperty(request, async (one) => {
      sent += 1;
      // A wrong length makes two requests of one, or half of one.
      const isWhole = typeof one.framing !== 'number';
      const answer = await exchange(port, bytesOf(one), isWhole);
      naming(shown(one), () => judge(answer, isWhole ? one.method : undefined));
    }),
    parameters,
  );
  await fc.assert(
    fc.asyncProperty(malformed, async (bytes) => {
      sent += 1;
      const answer = await exchange(port, bytes, false);
      naming(JSON.stringify(bytes.toString('latin1', 0, 1000)), () => judge(answer));
    }),
    parameters,
  );
  return sent;
}

function naming(request: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}: in answer to ${request}`, { cause: error });
  }
}
