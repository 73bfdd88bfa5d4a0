// SPDX-License-Identifier: Apache-2.0
// Layers and images as they should not be: a guest sees what the OCI specification says, or `uk run` refuses them in one
// line, and nothing half is left in the cache.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, statfs, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Descriptor, type Digest, digestOf, MEDIA_TYPE } from '../../image-format/index.ts';
import { AssemblyCache } from '../../puller/assemble/cache.ts';
import { DISK } from '../../puller/root/file-names.ts';
import { makeRootDisk } from '../../puller/root/root-disk.ts';
import { type TarEntry, tarOf } from '../../puller/root/testing.ts';
import { unpackLayer } from '../../puller/root/unpack-layer.ts';
import { cacheFolder } from '../../puller/store/folders.ts';
import { runGuest } from '../guest/guest.ts';
import { runUk } from '../whole/command.ts';
import { generalKernel, type ImageChoice, type PlainLayer, writeBlob, writeJson, writeManifest } from './image.ts';
import { ShellImage, shellLayer } from './shell-image.ts';

let folder: string;
let cache: string;
let image: ShellImage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-root-input-'));
  cache = join(folder, 'cache/uk');
  image = await ShellImage.create(folder, { XDG_CACHE_HOME: join(folder, 'cache') });
  await mkdir(cache, { recursive: true });
  // Kernels and what is known of this machine are not made again.
  for (const name of ['kernels', 'accelerator']) await symlink(join(cacheFolder(), name), join(cache, name));
  await generalKernel();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const dir = (path: string, more: Partial<TarEntry> = {}): TarEntry => ({ path, typeflag: '5', ...more });
const file = (path: string, content = '', more: Partial<TarEntry> = {}): TarEntry => ({ path, content, ...more });
const link = (path: string, target: string): TarEntry => ({ path, typeflag: '2', target });
const hardlink = (path: string, target: string): TarEntry => ({ path, typeflag: '1', target });

/** What half of an assembly would be. */
async function unfinished(where = cache): Promise<string[]> {
  const found = await readdir(join(where, 'assembly'), { recursive: true }).catch(() => []);
  return found.filter((path) => /^v\d+\/tmp\/./.test(path));
}

/** Boots the image that the name stands for. @returns what the script prints */
async function prints(script: string): Promise<string> {
  const { status, stdout, stderr } = await image.run([], script);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

/** Runs what must be refused. @returns the one line that says why */
async function refusal(status = 1): Promise<string> {
  const ran = await image.run([], 'echo started');
  expect({ status: ran.status, stdout: ran.stdout }, ran.stderr).toEqual({ status, stdout: '' });
  expect(ran.stderr.split('\n'), ran.stderr).toHaveLength(1);
  expect(ran.stderr).toMatch(/^uk: /);
  expect(ran.stderr).not.toMatch(/bug of uk/);
  expect(await unfinished()).toEqual([]);
  return ran.stderr;
}

describe('layers that a guest sees as the specification says', () => {
  test.each<[string, TarEntry[][], string, string]>([
    [
      'whiteouts of what is not there',
      [
        [dir('d'), file('d/a')],
        [file('.wh.never'), file('d/.wh.b'), file('no/such/.wh.x'), file('none/.wh..wh..opq')],
      ],
      'ls /d; ls -d /n* 2> /dev/null; true',
      'a',
    ],
    [
      'a whiteout and a file of one name in one layer',
      [[file('a', 'old')], [file('a', 'new'), file('.wh.a')]],
      'cat /a',
      'new',
    ],
    [
      'symbolic links that climb out',
      [
        [link('up', '../../../..'), link('abs', '/../d')],
        [file('up/climbed', '1'), file('abs/x', '2')],
      ],
      'cat /climbed /d/x; readlink /up',
      '12../../../..',
    ],
    [
      'a symbolic link where a lower layer has a folder, and the other way round',
      [
        [dir('d'), file('d/a'), dir('e'), link('f', 'e'), file('e/b')],
        [link('d', 'e'), dir('f')],
      ],
      'readlink /d; ls /d; ls -ld /f | head -c 1; ls /f',
      'e\nb\nd',
    ],
    [
      'names of 255 bytes, not UTF-8, with line ends and escapes',
      [[file(`d/${'x'.repeat(255)}`), file('d/\xff\xfe'), file('d/a\nb\x1b[1m')]],
      'cd /d; for f in *; do printf %s "$f" | wc -c; done; test -e "$(printf \'\\377\\376\')" && echo found',
      '7\n255\n2\nfound',
    ],
    ['an empty layer, and one with nothing but its end', [[], [file('a', 'x')], []], 'cat /a', 'x'],
    [
      'folders of the guest that are files or links',
      [[file('tmp'), link('run', 'nowhere')]],
      'wc -c < /tmp; readlink /run',
      '0\nnowhere',
    ],
    [
      'a file of another layer, linked and then replaced',
      [[file('a', 'old')], [hardlink('b', 'a')], [file('a', 'newer')]],
      'cat /a /b; stat -c %h /a /b',
      'newerold1\n1',
    ],
  ])('%s', async (_what, layers, script, output) => {
    await image.put(layers.map(tarOf));
    expect(await prints(script)).toBe(output);
  });

  test('a layer without a byte', async () => {
    const nothing = { bytes: Buffer.alloc(0), diffId: digestOf('') };
    await image.put([nothing, tarOf([file('a', 'x')])]);
    expect(await prints('cat /a')).toBe('x');
  });

  test('127 layers, each with a file, each removing one of those before it', async () => {
    const layers = Array.from({ length: 126 }, (_, n) => tarOf([file(`d/${n}`), file(`d/.wh.${n - 2}`)]));
    await image.put(layers);
    expect(await prints('ls /d')).toBe('124\n125');
  });

  test('100,000 files in one folder', async () => {
    const names = Array.from({ length: 100_000 }, (_, n) => file(`many/file-${n}`));
    await image.put([tarOf(names)]);
    expect(
      await prints('ls /many | wc -l; ls /many/file-0 /many/file-99999; ls /many/file-100000 2> /dev/null; true'),
    ).toBe('100000\n/many/file-0\n/many/file-99999');
  });

  test.each([MEDIA_TYPE.dockerLayerGzip, MEDIA_TYPE.layer, MEDIA_TYPE.dockerLayer])(
    'layers of %s',
    async (mediaType) => {
      await image.put([tarOf([file('a', 'x')])], { mediaType });
      expect(await prints('cat /a')).toBe('x');
    },
  );

  test('an index with attestations and images for other machines', async () => {
    const right = await image.put([tarOf([file('a', 'right')])]);
    const wrong = await image.put([tarOf([file('a', 'wrong')])], { architecture: 'arm64' });
    const attestation = {
      ...(await image.put([tarOf([file('a', 'attestation')])])),
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    await tagIndex([
      attestation,
      { ...wrong, platform: { os: 'linux', architecture: 'arm64' } },
      { ...right, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    expect(await prints('cat /a')).toBe('right');
  });
});

async function tagIndex(manifests: readonly object[]): Promise<void> {
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
  await image.tag(await writeJson(image.store, MEDIA_TYPE.index, index));
}

const LONG = `${'x'.repeat(200)}/`.repeat(21);

describe('layers that are refused, naming the path', () => {
  test.each<[string, TarEntry[], RegExp]>([
    ['a path with ".."', [file('a/../../etc/passwd')], /a path with "\.\.": "a\/\.\.\/\.\.\/etc\/passwd"/],
    ['a hard link that climbs out', [hardlink('a', '../../etc/passwd')], /a path with "\.\.".*etc\/passwd/],
    ['a hard link to nothing', [hardlink('d/a', 'none')], /\/d\/a: it is a hard link to a file that is not there/],
    ['a hard link to a folder', [dir('d'), hardlink('a', 'd')], /\/a: it is a hard link to a folder/],
    ['a path through a file', [file('a'), file('a/b')], /\/a\/b: its path leads through a file/],
    ['links in a circle', [link('a', 'b'), link('b', 'a'), file('a/c')], /\/a\/c: .* circles/],
    ['a path over 4096 bytes', [file(LONG)], /\/x{199}…: its path is longer than 4096 bytes/],
    ['a name over 255 bytes', [file('x'.repeat(256))], /\/x{199}…: a name in its path is longer than 255 bytes/],
    ['a target over 4095 bytes', [link('a', LONG)], /\/a: its target is longer/],
    ['a sparse file of GNU tar', [file('d/s', '', { typeflag: 'S' })], /sparse file, .*"d\/s"/],
    ['an unknown type', [file('d/s', '', { typeflag: 'Z' })], /unknown type "Z": "d\/s"/],
    ['a whiteout of nothing', [file('d/.wh.')], /\/d\/\.wh\.: this whiteout names no file/],
  ])('%s', async (_what, entries, message) => {
    await image.put([tarOf(entries)]);
    expect(await refusal()).toMatch(message);
  });

  test('a sparse file of pax', async () => {
    const { bytes } = tarOf([{ path: 'pax', typeflag: 'x', content: '22 GNU.sparse.major=1\n' }, file('d/s', 'x')]);
    await image.put([{ bytes, diffId: digestOf(bytes) }]);
    expect(await refusal()).toMatch(/sparse file, .*"d\/s"/);
  });
});

test('what only the guest finds is said with --quiet, too', async () => {
  await image.put([tarOf([])]);
  const { status, stderr } = await image.run(['--entrypoint', '/no/such/program'], '');
  expect(status).toBe(127);
  expect(stderr).toMatch(/^uk: .*\/no\/such\/program/);
});

describe('images that lie, or are for others', () => {
  const good = tarOf([file('a', 'x'.repeat(2000))]);

  test('a diff_id that lies', async () => {
    await image.put([{ bytes: good.bytes, diffId: digestOf('other') }]);
    expect(await refusal()).toMatch(/unpacks to sha256:[0-9a-f]{64}, but the image's config says sha256:/);
  });

  test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ['a layer that is cut off', (bytes) => bytes.subarray(0, 1000), /no end: it is cut off/],
    ['a header that was altered', (bytes) => Buffer.from(bytes).fill('?', 0, 4), /wrong checksum/],
  ])('%s', async (_what, damage, message) => {
    const bytes = damage(good.bytes);
    await image.put([{ bytes, diffId: digestOf(bytes) }]);
    expect(await refusal()).toMatch(message);
  });

  test.each<[string, ImageChoice, RegExp]>([
    ['an image for arm64', { architecture: 'arm64' }, /it is for linux on arm64/],
    [
      'a foreign layer',
      { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' },
      /layer 1 \(sha256:[0-9a-f]{64}\) is foreign/,
    ],
    ['a layer of an unknown type', { mediaType: 'application/x-layer' }, /unknown type application\/x-layer/],
  ])('%s', async (_what, choice, message) => {
    await image.put([good], choice);
    expect(await refusal()).toMatch(message);
  });

  test('an index for arm64 only', async () => {
    const arm = await image.put([good], { architecture: 'arm64' });
    await tagIndex([{ ...arm, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }]);
    expect(await refusal()).toMatch(/no image for linux on amd64: it has linux\/arm64\/v8/);
  });

  test('more layers than diff_ids', async () => {
    const layer = await writeBlob(image.store, MEDIA_TYPE.layer, good.bytes);
    const rootfs = { type: 'layers', diff_ids: [good.diffId] };
    const config = await writeJson(image.store, MEDIA_TYPE.config, { architecture: 'amd64', os: 'linux', rootfs });
    await image.tag(await writeManifest(image.store, config, [layer, layer]));
    expect(await refusal()).toMatch(/2 layers and 1 diff_ids/);
  });

  test('a layer that is no gzip', async () => {
    const { diffId } = good;
    const layer = await writeBlob(image.store, MEDIA_TYPE.layerGzip, good.bytes);
    const rootfs = { type: 'layers', diff_ids: [diffId] };
    const config = await writeJson(image.store, MEDIA_TYPE.config, { architecture: 'amd64', os: 'linux', rootfs });
    await image.tag(await writeManifest(image.store, config, [layer]));
    expect(await refusal()).toMatch(/not valid gzip data/);
  });

  test.each([-100, 100])('a size that is %d bytes beside the truth is found when the image is pulled', async (off) => {
    const image = await layerOfSize(good, good.bytes.length + off);
    await using registry = await serve(image);
    const env = { UK_STORE: await mkdtemp(join(folder, 'pulled-')), XDG_CACHE_HOME: join(folder, 'cache') };
    const { status, stdout, stderr } = await runUk(['--quiet', 'run', `${registry.host}/lies:1`], { env });
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 1, stdout: '' });
    expect(stderr.toString()).toMatch(new RegExp(`^uk: .*3584 bytes, the manifest says ${3584 + off}\n$`));
    expect(await readdir(join(env.UK_STORE, 'ingest'))).toEqual([]);
  });
});

/** All blobs of an image whose manifest says another size of its layer. */
async function layerOfSize({ bytes, diffId }: PlainLayer, size: number): Promise<Map<string, Buffer>> {
  const blobs = new Map<string, Buffer>();
  const add = (mediaType: string, content: Uint8Array): Descriptor => {
    const digest = digestOf(content);
    blobs.set(digest, Buffer.from(content));
    return { mediaType, digest, size: content.length };
  };
  const rootfs = { type: 'layers', diff_ids: [diffId] };
  const config = add(MEDIA_TYPE.config, Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs })));
  const layers = [{ ...add(MEDIA_TYPE.layer, bytes), size }];
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers };
  blobs.set('1', Buffer.from(JSON.stringify(manifest)));
  return blobs;
}

/** A registry that says what it is told to. Digests name blobs, anything else is a tag. */
async function serve(blobs: ReadonlyMap<string, Buffer>): Promise<{ host: string } & AsyncDisposable> {
  const server = createServer(({ url = '' }, response) => {
    const found = blobs.get(url.slice(url.lastIndexOf('/') + 1));
    if (url.includes('/manifests/')) response.setHeader('content-type', MEDIA_TYPE.manifest);
    response.statusCode = url === '/v2/' || found !== undefined ? 200 : 404;
    response.end(found);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const asRoot = process.getuid?.() === 0;

describe.skipIf(!asRoot)(
  `a disk that fills in the middle${asRoot ? '' : ' (skipped: only root can mount one)'}`,
  () => {
    test.each([
      ['while a layer is unpacked', 'size=2m', 4 * 2 ** 20],
      ['after the layers', 'size=3m', 1_200_000],
      ['of inodes', 'size=64m,nr_inodes=8', 1000],
    ])('%s', async (_when, size, bytes) => {
      await image.put([tarOf([file('big', 'x'.repeat(bytes))])]);
      const small = await mkdtemp(join(folder, 'small-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', small]);
      try {
        const full = join(small, 'uk');
        await mkdir(full);
        for (const name of ['kernels', 'accelerator']) await symlink(join(cacheFolder(), name), join(full, name));
        const { status, stdout, stderr } = await image.run([], 'echo started', { env: { XDG_CACHE_HOME: small } });
        expect({ status, stdout }, stderr).toEqual({ status: 1, stdout: '' });
        expect(stderr).toMatch(new RegExp(`^uk: no space left on the disk to assemble the image: ${full}/.*$`));
        expect(await unfinished(full)).toEqual([]);
      } finally {
        execFileSync('umount', [small]);
      }
    });
  },
);

const GIB = 2 ** 30;
const HUGE = 4 * GIB + 5;

/** A tar archive with one file of more than 4 GiB, in pieces: zeros, and a few letters at its end. */
function* hugeLayer(): Generator<Buffer> {
  const { bytes } = tarOf([file('huge', 'x')]);
  const header = Buffer.from(bytes.subarray(0, 512));
  header.write(HUGE.toString(8).padStart(11, '0'), 124, 'latin1');
  header.fill(' ', 148, 156);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  yield header;
  const zeros = Buffer.alloc(8 * 2 ** 20);
  for (let at = 0; at < 4 * GIB; at += zeros.length) yield zeros;
  const end = Buffer.alloc(512 * 3);
  end.write('end\n!');
  yield end;
}

async function room(): Promise<boolean> {
  const { bavail, bsize } = await statfs(tmpdir());
  return bavail * bsize > 6 * GIB;
}

const hasRoom = await room();

test.skipIf(!hasRoom)(
  `a file over 4 GiB${hasRoom ? '' : ' (skipped: less than 6 GiB free)'}`,
  async () => {
    const hash = createHash('sha256');
    for (const piece of hugeLayer()) hash.update(piece);
    const huge: Digest = `sha256:${hash.digest('hex')}`;
    const shell = await shellLayer();
    const layers = new AssemblyCache(join(folder, 'huge'));
    const stack = [
      { diffId: shell.diffId, blob: () => pieces([Buffer.from(shell.bytes)]) },
      { diffId: huge, blob: () => pieces(hugeLayer()) },
    ];
    const key = await makeRootDisk(
      layers,
      stack.map(({ diffId, blob }) => ({
        diffId,
        unpack: (into) => unpackLayer(into, { blob: blob(), compression: 'none', diffId }),
      })),
    );
    const { vmlinux, ...kernel } = await generalKernel();
    const root = { kind: 'erofs' as const, disk: layers.file('root', key, DISK) };
    const bootable = { ...kernel, kernel: vmlinux, image: key, root, config: { Env: ['PATH=/bin'] } };
    const script = `stat -c %s /huge; dd if=/huge bs=1 skip=${4 * GIB} 2> /dev/null; dd if=/huge bs=4096 count=1 2> /dev/null | wc -c`;
    const { stdout, outcome } = await runGuest({ bootable }, '/bin/sh', ['-c', script]);
    expect(outcome.status).toBe(0);
    expect(stdout.toString()).toBe(`${HUGE}\nend\n!4096\n`);
    await rm(join(folder, 'huge'), { recursive: true });
  },
  600_000,
);

async function* pieces(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}
