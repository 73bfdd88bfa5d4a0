// SPDX-License-Identifier: Apache-2.0
// An image of ours is an ordinary image: the tools that people have take it from our registry as they take any other.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runContainerd } from '../clients/run-containerd.ts';
import { type Home, makeHome, needing, type Tool } from '../clients/tools.ts';
import { root, type Server, serveRegistry, uk } from './command.ts';

let folder: string;
let registry: Server;
let home: Home;
/** One program as two images: the default, and the one for old tools. */
let zstd: string;
let gzip: string;
let digest: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-stock-'));
  home = await makeHome();
  registry = await serveRegistry(join(folder, 'registry'));
  const program = join(folder, 'everything');
  execFileSync('gcc', ['-O2', '-pthread', join(root, 'test/programs/everything.c'), '-o', program]);
  zstd = `${registry.host}/stock:zstd`;
  gzip = `${registry.host}/stock:gzip`;
  const env = { UK_STORE: join(folder, 'store') };
  const built = await uk(['build', '--json', '-t', zstd, '--app', program], { env });
  digest = (JSON.parse(built) as { digest: string }).digest;
  await uk(['build', '-t', gzip, '--app', program, '--compression', 'gzip'], { env });
  for (const image of [zstd, gzip]) await uk(['push', image], { env });
});

afterAll(async () => {
  expect(await registry?.stop()).toBe(0);
  await home.remove();
  await rm(folder, { recursive: true, force: true });
});

function withTool(tool: Tool, title: string, work: () => Promise<void>): void {
  const needed = needing(`${tool} ${title}`, tool);
  test.skipIf(needed.missing)(needed.title, work);
}

describe('with zstd layers', () => {
  withTool('skopeo', 'copies it, and the copy has the same digest', async () => {
    const copy = home.path('skopeo');
    await home.run('skopeo', ['copy', '--src-tls-verify=false', `docker://${zstd}`, `oci:${copy}:copy`]);
    const index = JSON.parse(await readFile(join(copy, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
    expect(index.manifests.map((manifest) => manifest.digest)).toEqual([digest]);
  });

  withTool('podman', 'pulls it', async () => {
    const storage = ['--root', home.path('podman'), '--runroot', home.path('run'), '--storage-driver', 'vfs'];
    await home.run('podman', [...storage, 'pull', '--tls-verify=false', zstd]);
    const labels = await home.run('podman', [
      ...storage,
      'inspect',
      '--format',
      '{{index .Labels "vnd.uk.layer.roles"}}',
      zstd,
    ]);
    expect(labels.trim()).toBe('kernel,deps,app,config');
  });

  const root = process.getuid?.() === 0;
  const containerd = needing(
    `containerd pulls and unpacks it${root ? '' : ' (skipped: needs root)'}`,
    'containerd',
    'ctr',
  );
  test.skipIf(containerd.missing || !root)(containerd.title, async () => {
    const daemon = await runContainerd(home);
    try {
      await daemon.ctr('images', 'pull', '--plain-http', '--snapshotter', 'native', zstd);
      expect(await daemon.ctr('images', 'check', '--snapshotter', 'native')).toMatch(/stock:zstd.*complete.*true/);
    } finally {
      await daemon.stop();
    }
  });

  withTool('crane', 'finds it valid', async () => {
    await home.run('crane', ['validate', '--fast', '--insecure', '--remote', zstd]);
  });
});

describe('with gzip layers', () => {
  withTool('crane', 'finds every layer valid', async () => {
    await home.run('crane', ['validate', '--insecure', '--remote', gzip]);
  });

  const needed = needing('umoci unpacks it, with the program in its place', 'umoci', 'skopeo');
  test.skipIf(needed.missing)(needed.title, async () => {
    const layout = home.path('layout');
    await home.run('skopeo', ['copy', '--src-tls-verify=false', `docker://${gzip}`, `oci:${layout}:gzip`]);
    const bundle = home.path('bundle');
    await home.run('umoci', [
      'unpack',
      ...(process.getuid?.() === 0 ? [] : ['--rootless']),
      '--image',
      `${layout}:gzip`,
      bundle,
    ]);
    expect((await stat(join(bundle, 'rootfs/app/everything'))).mode & 0o111).not.toBe(0);
    expect((await stat(join(bundle, 'rootfs/boot/vmlinux'))).size).toBeGreaterThan(1_000_000);
  });
});
