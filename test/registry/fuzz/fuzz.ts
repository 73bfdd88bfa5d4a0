// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { digestOf } from '../../../image-format/index.ts';
import { call } from '../call.ts';
import { pusher } from '../content.ts';
import type { GoDecoder } from '../go-decoder.ts';
import { exchange, judge } from './judge.ts';
import { type FuzzedManifest, fuzzedManifest } from './manifests.ts';
import { bytesOf, LAYER, malformed, request, shown } from './requests.ts';

export interface FuzzOptions {
  /** The same one makes the same requests. */
  seed: number;
  /** Requests of each kind, at most. */
  runs: number;
  /** Milliseconds, at most. */
  limitMs?: number;
  /** Reads as clients written in Go do: the registry must take nothing that it refuses. */
  decoder?: GoDecoder | undefined;
}

/** What a run has done. */
export interface FuzzReport {
  requests: number;
  /** Manifests that were nearly right, and how many of them the registry took. */
  manifests: number;
  taken: number;
}

/**
 * Sends requests at random to a registry, whole ones and torn ones, one after the other; some of them push and delete
 * what others ask for.
 *
 * @throws Error with the smallest request that was answered wrongly
 */
export async function fuzz(url: string, { seed, runs, limitMs, decoder }: FuzzOptions): Promise<FuzzReport> {
  const port = Number(new URL(url).port);
  for (const repository of ['fuzz', 'fuzz/deep/er']) await pusher(url).image(repository, 't', LAYER);
  let sent = 0;
  const parameters = {
    seed,
    numRuns: runs,
    ...(limitMs === undefined ? {} : { interruptAfterTimeLimit: limitMs / 3, markInterruptAsFailure: false }),
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
  const counted = await fuzzManifests(url, parameters, decoder);
  return { requests: sent, ...counted };
}

/** What the registry takes, it gives back as it came, and Go reads it. */
async function fuzzManifests(
  url: string,
  parameters: fc.Parameters<[FuzzedManifest]>,
  decoder: GoDecoder | undefined,
): Promise<{ manifests: number; taken: number }> {
  let [manifests, taken] = [0, 0];
  // What other requests have deleted.
  await pusher(url).image('fuzz/manifests', 't', LAYER);
  await fc.assert(
    fc.asyncProperty(fuzzedManifest, async ({ bytes, mediaType }) => {
      manifests += 1;
      const path = `/v2/fuzz/manifests/manifests/${digestOf(bytes)}`;
      const { status } = await call(url, { method: 'PUT', path, body: bytes, headers: { 'Content-Type': mediaType } });
      if (status === 400) return;
      const shown = bytes.toString();
      if (status !== 201) throw new Error(`a ${status} in answer to ${shown}`);
      taken += 1;
      const refusal = await decoder?.refusal(bytes, mediaType);
      if (refusal !== undefined) throw new Error(`it was taken, and Go does not read it (${refusal}): ${shown}`);
      if (!(await call(url, { path })).body.equals(bytes)) throw new Error(`it was not given back: ${shown}`);
    }),
    parameters,
  );
  return { manifests, taken };
}

function naming(request: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}: in answer to ${request}`, { cause: error });
  }
}
