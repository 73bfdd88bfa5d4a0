// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LayerFile } from '../../image-format/layers/index.ts';
import { writeSegment } from './layer-segment.ts';

// uk's own builder writes no such layer.
test('a whiteout is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'uk-segment-'));
  try {
    const whiteout = { path: 'etc/.wh.passwd', type: 'file', size: 0 } as LayerFile;
    const entries = (async function* () {
      yield whiteout;
    })();
    await expect(writeSegment(folder, 'app', entries)).rejects.toMatchObject({
      code: 'IMAGE_UNSUPPORTED',
      message: expect.stringContaining('removes a file'),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
