// SPDX-License-Identifier: Apache-2.0
// Images that other tools have written to this machine are taken as they are.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readContainerImage } from '../../image-format/build/index.ts';
import { importImage, parseSource } from '../../image-format/import/index.ts';
import { configOf, member, TestLayout, tarOf } from '../../image-format/import/testing.ts';
import { digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { type ContentStore, openContentStore } from '../../image-format/layout/index.ts';

const missing = (tool: string) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0;
const titled = (what: string, tool: string) => `${what}${missing(tool) ? ` (skipped: no ${tool})` : ''}`;

let dir: string;
let store: ContentStore;
let diffIds: string[];
/** What is in the layout, and what everything below is made from. */
let original: string;

const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8', cwd: dir });
const podman = (...args: string[]) =>
  run('podman', '--storage-driver=vfs', '--root', join(dir, 'podman'), '--runroot', join(dir, 'run'), ...args);

async function take(text: string) {
  const source = parseSource(text);
  if (source === undefined) throw new Error(`not a source: ${text}`);
  const descriptor = await importImage(store, source);
  return await readContainerImage(store, descriptor);
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-import-'));
  store = await openContentStore(join(dir, 'store'));
  const layout = new TestLayout(join(dir, 'layout'));
  const tars = [await tarOf(member('one', '1')), await tarOf(member('two', '2'))];
  diffIds = tars.map((tar) => digestOf(tar));
  const layers = [];
  for (const tar of tars) layers.push(await layout.blob(gzipSync(tar), MEDIA_TYPE.layerGzip));
  const config = await layout.blob(configOf(diffIds), MEDIA_TYPE.config);
  const document = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers };
  const manifest = await layout.json(document, MEDIA_TYPE.manifest);
  original = manifest.digest;
  await layout.index({ ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'first' } });
});
afterAll(async () => await rm(dir, { recursive: true, force: true }));

describe.skipIf(missing('skopeo'))(titled('skopeo', 'skopeo'), () => {
  test('a layout with two images', async () => {
    run('skopeo', 'copy', '-q', 'oci:layout:first', 'oci:copy:1');
    run('skopeo', 'copy', '-q', 'oci:layout:first', 'oci:copy:other');
    expect((await take(`oci:${dir}/copy:1`)).descriptor.digest).toBe(original);
    expect((await take(`oci:${dir}/copy@${original}`)).descriptor.digest).toBe(original);
  });

  test('docker-archive', async () => {
    run('skopeo', 'copy', '-q', 'oci:layout:first', 'docker-archive:skopeo.tar:localhost/x:1');
    for (const name of ['', ':localhost/x:1', ':@0']) {
      const { layers, config } = await take(`docker-archive:${dir}/skopeo.tar${name}`);
      expect(layers.map(({ descriptor }) => descriptor.digest)).toEqual(diffIds);
      expect(config.config?.Cmd).toEqual(['x']);
    }
  });
});

describe.skipIf(missing('podman'))(titled('podman', 'podman'), () => {
  test('podman save, of one image and of two', async () => {
    const [, id = ''] = /([0-9a-f]{64})\s*$/.exec(podman('pull', '-q', 'oci:layout:first')) ?? [];
    podman('tag', id, 'localhost/x:1');
    await writeFile(join(dir, 'Containerfile'), 'FROM localhost/x:1\nENV A=b\n');
    podman('build', '-q', '--isolation=chroot', '-t', 'localhost/y:1', '.');
    podman('save', '-q', '-o', 'one.tar', 'localhost/x:1');
    podman('save', '-q', '-m', '-o', 'two.tar', 'localhost/x:1', 'localhost/y:1');
    podman('save', '-q', '--format=oci-dir', '-o', 'saved', 'localhost/x:1');
    expect((await take(`docker-archive:${dir}/one.tar`)).layers.map(({ diffId }) => diffId)).toEqual(diffIds);
    expect((await take(`docker-archive:${dir}/two.tar:localhost/y:1`)).config.config?.Env).toContain('A=b');
    await expect(take(`docker-archive:${dir}/two.tar`)).rejects.toThrow(/holds 2 images: localhost\/[xy]:1, localhost/);
    expect((await take(`oci:${dir}/saved`)).layers.map(({ diffId }) => diffId)).toEqual(diffIds);
  });
});
