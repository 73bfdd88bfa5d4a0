// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { pushImage } from './push-image.ts';
import { startRegistry } from './running-registry.ts';
import { sampleImage } from './sample-image.ts';
import { makeHome, needing } from './tools.ts';

const root = process.getuid?.() === 0;

// Debian 12's umoci reads gzip only; from 0.6 on it reads zstd too.
for (const [tool, compression] of [
  ['umoci', 'gzip'],
  ['umoci-0.6', 'zstd'],
] as const) {
  const { missing, title } = needing(`${tool}, through skopeo`, tool, 'skopeo');

  describe.skipIf(missing || !root)(root ? title : `${title} (skipped: needs root)`, () => {
    test(`unpacks an image of ${compression} layers`, async () => {
      const registry = await startRegistry();
      const home = await makeHome();
      try {
        const image = await sampleImage({ compression, layers: [{ 'etc/hello': 'unpacked' }] });
        await pushImage(registry.url, 'unpack', image, 't');
        const from = `docker://${registry.host}/unpack:t`;
        const copy = ['copy', '--src-tls-verify=false', from, `oci:${home.path('layout')}:t`];
        await home.run('skopeo', ['--insecure-policy', ...copy]);
        await home.run(tool, ['unpack', '--image', `${home.path('layout')}:t`, home.path('bundle')]);
        expect(await readFile(home.path('bundle/rootfs/etc/hello'), 'utf8')).toBe('unpacked');
      } finally {
        await registry.stop();
        await home.remove();
      }
    });
  });
}
