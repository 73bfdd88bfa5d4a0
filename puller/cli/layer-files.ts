// SPDX-License-Identifier: Apache-2.0
import { type Digest, ImageError } from '../../image-format/index.ts';
import { type IndexedLayer, type IndexLimits, makeIndex, Stack, whyUnreadable } from '../../registry/browse/offline.ts';
import type { Session } from './context.ts';
import type { ImageSource } from './image-source.ts';

const GIB = 1024 ** 3;
const LIMITS: IndexLimits = { entries: 2_000_000, names: GIB / 4, parts: 20_000_000, unpacked: 64 * GIB };

/**
 * Reads the layers of images once, without keeping their contents. What several of them share is read once.
 *
 * @throws ImageError `LAYER_INVALID`, naming the layer
 */
export async function readStacks(session: Session, sources: readonly ImageSource[]): Promise<Stack[]> {
  const progress = await session.output.progress();
  const known = new Map<Digest, IndexedLayer>();
  try {
    const stacks: Stack[] = [];
    for (const source of sources) {
      const layers: IndexedLayer[] = [];
      for (const [number, descriptor] of source.manifest.layers.entries()) {
        session.signal.throwIfAborted();
        const read = known.get(descriptor.digest);
        if (read !== undefined) {
          layers.push(read);
          continue;
        }
        const why = whyUnreadable(descriptor.mediaType, true);
        if (why !== undefined) throw new ImageError('LAYER_INVALID', `layer ${number} of ${source.name}: ${why}`);
        const piece = progress.piece(`layer    ${descriptor.digest.slice(0, 19)}`);
        piece.update({ total: descriptor.size });
        const layer = await makeIndex(
          counted(source.blob(descriptor), (done) => piece.update({ done })),
          LIMITS,
        );
        piece.done(`${layer.entries.length} entries`);
        known.set(descriptor.digest, layer);
        layers.push(layer);
      }
      stacks.push(new Stack(layers));
    }
    return stacks;
  } finally {
    progress.close();
  }
}

async function* counted(source: AsyncIterable<Uint8Array>, onProgress: (done: number) => void) {
  let done = 0;
  for await (const chunk of source) {
    done += chunk.length;
    onProgress(done);
    yield chunk;
  }
}
