// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushImage } from './push-image.ts';
import { runContainerd } from './run-containerd.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage } from './sample-image.ts';
import { type Home, makeHome, needing } from './tools.ts';
import { watchRequests } from './watch.ts';

const { missing, title } = needing('containerd', 'containerd', 'ctr');
const root = process.getuid?.() === 0;

describe.skipIf(missing || !root)(root ? title : `${title} (skipped: needs root)`, () => {
  let registry: RunningRegistry;
  let home: Home;
  let stopDaemon: () => Promise<void>;
  let ctr: (...args: string[]) => Promise<string>;

  beforeAll(async () => {
    registry = await startRegistry();
    home = await makeHome();
    ({ ctr, stop: stopDaemon } = await runContainerd(home));
  });
  afterAll(async () => {
    await stopDaemon();
    expect(registry.errors).toEqual([]);
    await registry.stop();
    await home.remove();
  });

  for (const compression of ['gzip', 'zstd'] as const) {
    test(`pulls and unpacks ${compression} layers, and pushes them under another name by mounting`, async () => {
      const image = await sampleImage({ compression });
      await pushImage(registry.url, `ctr/${compression}`, image, 't');
      const ref = `${registry.host}/ctr/${compression}:t`;
      await ctr('images', 'pull', '--plain-http', '--snapshotter', 'native', ref);
      const again = `${registry.host}/ctr/again-${compression}:t`;
      await ctr('images', 'tag', ref, again);
      const watch = watchRequests(registry);
      await ctr('images', 'push', '--plain-http', again);
      watch.stop();
      expect(watch.mounted(`ctr/again-${compression}`)).toEqual([...image.blobs.keys()].toSorted());
      expect(watch.uploaded(`ctr/again-${compression}`)).toEqual([]);
      const answer = await fetch(`${registry.url}/v2/ctr/again-${compression}/manifests/t`, { method: 'HEAD' });
      expect(answer.headers.get('docker-content-digest')).toBe(image.digest);
    });
  }
});
