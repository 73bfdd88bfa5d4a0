// SPDX-License-Identifier: Apache-2.0
// An image of ours is an ordinary image: tools that know nothing of us read it from a layout.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { buildImage, buildIndex, buildKernelImage } from '../../image-format/build/index.ts';
import { type ContentStore, exportLayout, openContentStore } from '../../image-format/layout/index.ts';

const missing = (tool: string) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0;
const titled = (what: string, tool: string) => `${what}${missing(tool) ? ` (skipped: no ${tool})` : ''}`;

let dir: string;
let store: ContentStore;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-tools-'));
  store = await openContentStore(join(dir, 'store'));
  await writeFile(join(dir, 'vmlinux'), Buffer.alloc(300_000, 'kernel'));
  await writeFile(join(dir, 'config'), '');
  const kernel = { vmlinux: join(dir, 'vmlinux'), config: join(dir, 'config'), kernelJson: { variant: 'default' } };
  const profile = await loadProfile();
  const request = { app: '/bin/cat', args: ['/etc/hosts'], env: ['A=b'], profile, kernel };
  for (const compression of ['zstd', 'gzip'] as const) {
    const { descriptor } = await buildImage(request, store, { compression });
    await store.tag(`localhost/${compression}:1`, descriptor);
  }
  const other = await buildImage({ ...request, profile: { ...profile, name: 'other' } }, store);
  const [first] = (await store.list()).filter(({ name }) => name.includes('zstd'));
  if (first === undefined) throw new Error('the zstd image has no name');
  await store.tag('localhost/index:1', await buildIndex([first.descriptor, other.descriptor], store));
  await store.tag('localhost/kernel:1', (await buildKernelImage(kernel, profile, store)).descriptor);
  for (const { name } of await store.list()) {
    await exportLayout(store, name, join(dir, name.replace('localhost/', '').replace(':1', '')));
  }
});
afterAll(async () => await rm(dir, { recursive: true, force: true }));

const digestIn = async (layout: string) => {
  return JSON.parse(await readFile(join(dir, layout, 'index.json'), 'utf8')).manifests[0].digest;
};

describe.skipIf(missing('skopeo'))(titled('skopeo', 'skopeo'), () => {
  test.each(['zstd', 'gzip', 'kernel'])('copies the %s image and changes nothing', async (name) => {
    execFileSync('skopeo', ['copy', '-q', `oci:${join(dir, name)}:1`, `oci:${join(dir, `${name}-copy`)}:1`]);
    expect(await digestIn(`${name}-copy`)).toBe(await digestIn(name));
  });

  test('copies an index with all that is in it', async () => {
    execFileSync('skopeo', ['copy', '-q', '--all', `oci:${join(dir, 'index')}:1`, `oci:${join(dir, 'index-copy')}:1`]);
    expect(await digestIn('index-copy')).toBe(await digestIn('index'));
    const blobs = async (layout: string) => (await readdir(join(dir, layout, 'blobs/sha256'))).sort();
    expect(await blobs('index-copy')).toEqual(await blobs('index'));
  });

  test('tells how the program runs', () => {
    const config = JSON.parse(
      execFileSync('skopeo', ['inspect', '--config', `oci:${join(dir, 'zstd')}:1`], { encoding: 'utf8' }),
    );
    expect(config).toMatchObject({
      os: 'linux',
      architecture: 'amd64',
      config: { Entrypoint: ['/usr/bin/cat'], Cmd: ['/etc/hosts'], Env: ['A=b'] },
    });
  });
});

describe.skipIf(missing('umoci'))(titled('umoci', 'umoci'), () => {
  test('unpacks the gzip image, and checks its digests', async () => {
    const bundle = join(dir, 'bundle');
    const rootless = process.getuid?.() === 0 ? [] : ['--rootless'];
    execFileSync('umoci', ['unpack', ...rootless, '--image', `${join(dir, 'gzip')}:1`, bundle], { stdio: 'ignore' });
    const root = join(bundle, 'rootfs');
    expect((await stat(join(root, 'usr/bin/cat'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(root, 'tmp'))).mode & 0o7777).toBe(0o1777);
    expect(await readlink(join(root, 'lib64'))).toBe('usr/lib64');
    expect((await readdir(join(root, 'boot'))).sort()).toEqual(['config', 'kernel.json', 'profile.json', 'vmlinux']);
    const { process: spec } = JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8'));
    expect(spec.args).toEqual(['/usr/bin/cat', '/etc/hosts']);
  });
});
