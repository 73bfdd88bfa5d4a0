// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../../errors.ts';

/** A line that carries less than this is as good as dead. */
const LEAST_BYTES_PER_SECOND = 64;

/**
 * Passes chunks on, and fails where so few of them come that the transfer would never end. A server that sends nothing at
 * all is found by the transport; one that sends a byte now and then is found here. Only the time spent waiting for the
 * server counts.
 *
 * @param windowMs over how long the rate is taken
 * @throws ImageError `REGISTRY_UNREACHABLE`
 */
export async function* withoutStalls(
  chunks: AsyncIterable<Buffer>,
  windowMs: number,
  host: string,
  now: () => number = () => performance.now(),
): AsyncGenerator<Buffer, void, undefined> {
  let waited = 0;
  let received = 0;
  let before = now();
  for await (const chunk of chunks) {
    waited += now() - before;
    received += chunk.length;
    if (waited >= windowMs) {
      if (received < (LEAST_BYTES_PER_SECOND * waited) / 1000) {
        const rate = `${received} bytes in ${Math.round(waited / 1000)} s`;
        throw new ImageError('REGISTRY_UNREACHABLE', `${host} sends too slowly: ${rate}`);
      }
      waited = 0;
      received = 0;
    }
    yield chunk;
    before = now();
  }
}
