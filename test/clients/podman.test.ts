// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage, writeLayout } from './sample-image.ts';
import { type Home, makeHome, needing, type Tool } from './tools.ts';
import { watchRequests } from './watch.ts';

/** podman and buildah keep images in one kind of storage; vfs works wherever they run as root. */
function storageOf(home: Home, name: string): string[] {
  return ['--storage-driver=vfs', '--root', home.path(name, 'root'), '--runroot', home.path(name, 'run')];
}

for (const tool of ['podman', 'buildah'] as const) {
  const { missing, title } = needing(tool, tool, 'skopeo');
  const root = process.getuid?.() === 0;

  describe.skipIf(missing || !root)(root ? title : `${title} (skipped: needs root)`, () => {
    let registry: RunningRegistry;
    let home: Home;

    beforeAll(async () => {
      registry = await startRegistry();
      home = await makeHome();
    });
    afterAll(async () => {
      expect(registry.errors).toEqual([]);
      await registry.stop();
      await home.remove();
    });

    const client = (storage: string, ...args: string[]) =>
      home.run(tool satisfies Tool, [...storageOf(home, storage), ...args]);

    for (const compression of ['gzip', 'zstd'] as const) {
      test(`pulls ${compression} layers, tags, pushes by mounting, and a second storage pulls that`, async () => {
        const image = await sampleImage({ compression, layers: [{ 'etc/from': `${tool} ${compression}` }] });
        await writeLayout(home.path(compression), image, 't');
        const ref = `${registry.host}/${tool}/${compression}:t`;
        await home.run('skopeo', [
          '--insecure-policy',
          'copy',
          '--dest-tls-verify=false',
          `oci:${home.path(compression)}:t`,
          `docker://${ref}`,
        ]);
        await client('first', 'pull', '--tls-verify=false', ref);
        const pushed = `${registry.host}/${tool}/again:${compression}`;
        await client('first', 'tag', ref, pushed);
        const watch = watchRequests(registry);
        await client('first', 'push', '--tls-verify=false', pushed);
        watch.stop();
        expect(watch.mounted(`${tool}/again`)).toEqual(image.layers);
        await client('second', 'pull', '--tls-verify=false', pushed);
        const images = await client('second', 'images', ...(tool === 'podman' ? ['--format=json'] : ['--json']));
        expect(images).toContain(pushed);
      });

      test(`makes a list of images of ${compression} layers and pushes all of it`, async () => {
        const image = await sampleImage({ compression, layers: [{ 'etc/listed': `${tool} ${compression}` }] });
        const repository = `${tool}/list-${compression}`;
        await pushImage(registry.url, repository, image, 't');
        const list = `list-${compression}`;
        await client('first', 'manifest', 'create', list);
        await client(
          'first',
          'manifest',
          'add',
          '--tls-verify=false',
          list,
          `docker://${registry.host}/${repository}:t`,
        );
        const target = `docker://${registry.host}/${repository}:all`;
        await client('first', 'manifest', 'push', '--all', '--tls-verify=false', list, target);
        const answer = await fetch(`${registry.url}/v2/${repository}/manifests/all`);
        const { manifests } = (await answer.json()) as { manifests: { digest: string }[] };
        expect(manifests.map((entry) => entry.digest)).toEqual([image.digest]);
      });
    }
  });
}

describe.skipIf(needing('', 'buildah').missing || process.getuid?.() !== 0)(
  needing('buildah builds', 'buildah').title,
  () => {
    test('from scratch, and pushes what it built', async () => {
      const registry = await startRegistry();
      const home = await makeHome();
      const buildah = (...args: string[]) => home.run('buildah', [...storageOf(home, 'storage'), ...args]);
      try {
        const container = (await buildah('from', 'scratch')).trim();
        await buildah('copy', container, import.meta.filename, '/source.ts');
        await buildah('config', '--entrypoint', '["/source.ts"]', container);
        await buildah('commit', container, 'built');
        const target = `docker://${registry.host}/built:1`;
        await buildah('push', '--tls-verify=false', 'built', target);
        await buildah('pull', '--tls-verify=false', `${registry.host}/built:1`);
        expect(registry.errors).toEqual([]);
      } finally {
        await registry.stop();
        await home.remove();
      }
    });
  },
);
