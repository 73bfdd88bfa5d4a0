// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadProfile, type Profile } from '../../hardware-profiles/index.ts';
import { digestOf } from '../digest.ts';
import { parseImageConfig } from '../image-config.ts';
import { type LayerEntry, verifyDiffId, writeLayer } from '../layers/index.ts';
import { MemoryStore, type ReadEntry, readAll } from '../layers/testing.ts';
import { type ContentStore, openContentStore } from '../layout/index.ts';
import { parseManifestDocument } from '../manifest.ts';
import { layerCompression, MEDIA_TYPE } from '../media-types.ts';
import {
  type BuildOptions,
  type BuildRequest,
  type BuiltImage,
  buildImage,
  buildIndex,
  buildKernelImage,
  kernelLayerOf,
  type Layer,
  rebuildConfig,
  validateImage,
} from './index.ts';
import { makeElf } from './needs/testing.ts';

let dir: string;
let store: ContentStore;
let profile: Profile;
let app: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-build-'));
  store = await openContentStore(join(dir, 'store'));
  profile = await loadProfile('qemu-microvm');
  app = await put('hello', makeElf({ dynamic: false, type: 2 }));
  await put('vmlinux', Buffer.alloc(100_000, 'kernel'));
  await put('config', 'CONFIG_64BIT=y\n');
});
afterEach(async () => await rm(dir, { recursive: true, force: true }));

async function put(path: string, content: Buffer | string): Promise<string> {
  const full = join(dir, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, content);
  return full;
}
const kernelFiles = (variant = 'default') => {
  return { vmlinux: join(dir, 'vmlinux'), config: join(dir, 'config'), kernelJson: { version: '6.12.1', variant } };
};
const build = async (request: Partial<BuildRequest> = {}, options: BuildOptions = {}, into = store) =>
  await buildImage({ app, profile, kernel: kernelFiles(), ...request }, into, {
    sysroot: join(dir, 'sysroot'),
    ...options,
  });

async function entries({ descriptor }: Layer): Promise<Map<string, ReadEntry>> {
  const compression = layerCompression(descriptor.mediaType) ?? 'none';
  const found = await readAll(await buffer(store.stream(descriptor.digest)), compression);
  return new Map(found.map((entry) => [entry.path, entry]));
}
async function layer(image: BuiltImage, index: number): Promise<Map<string, ReadEntry>> {
  const found = image.layers[index];
  if (found === undefined) throw new Error(`no layer ${index}`);
  return await entries(found);
}
async function configOf(image: BuiltImage) {
  return parseImageConfig(await store.read(image.config.digest));
}

describe('buildImage', () => {
  test('an ordinary image of four layers, each what the config says of it', async () => {
    const image = await build({ args: ['--port', '80'], env: ['A=b'], exposedPorts: ['80'] });
    const document = parseManifestDocument(await store.read(image.descriptor.digest), image.descriptor.mediaType);
    expect(document.kind).toBe('manifest');
    expect(document.value).toMatchObject({
      mediaType: MEDIA_TYPE.manifest,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json' },
      annotations: {
        'vnd.uk.image.version': '1',
        'vnd.uk.profile': 'qemu-microvm',
        'vnd.uk.kernel.variant': 'default',
        'com.urunc.unikernel.unikernelType': 'linux',
        'com.urunc.unikernel.hypervisor': 'qemu',
        'com.urunc.unikernel.binary': '/boot/vmlinux',
      },
    });
    expect(document.value).not.toHaveProperty('artifactType');
    expect(image.layers.map(({ descriptor }) => descriptor.annotations?.['vnd.uk.layer.role'])).toEqual([
      'kernel',
      'deps',
      'app',
      'config',
    ]);
    const config = await configOf(image);
    expect(config).toMatchObject({
      architecture: 'amd64',
      os: 'linux',
      config: { Entrypoint: ['/app/hello'], Cmd: ['--port', '80'], Env: ['A=b'], ExposedPorts: { '80/tcp': {} } },
    });
    expect(config.config?.Labels?.['vnd.uk.layer.roles']).toBe('kernel,deps,app,config');
    expect(config).not.toHaveProperty('created');
    expect(config.rootfs.diff_ids).toEqual(image.layers.map(({ diffId }) => diffId));
    for (const { descriptor, diffId } of image.layers) {
      expect(descriptor.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd');
      await verifyDiffId(store.stream(descriptor.digest), diffId, { compression: 'zstd' });
    }
  });

  test('what stands in its layers', async () => {
    const image = await build();
    const files = async (index: number) =>
      [...(await layer(image, index)).values()].filter(({ type }) => type !== 'directory').map(({ path }) => path);
    expect(await files(0)).toEqual(['boot/config', 'boot/kernel.json', 'boot/profile.json', 'boot/vmlinux']);
    expect(await files(1)).toEqual([
      'bin',
      'etc/group',
      'etc/hosts',
      'etc/nsswitch.conf',
      'etc/passwd',
      'lib',
      'lib64',
      'sbin',
      'var/run',
    ]);
    expect(await files(2)).toEqual(['app/hello']);
    expect(await files(3)).toEqual(['urunc.json']);
    expect((await layer(image, 1)).get('tmp')).toMatchObject({ type: 'directory', mode: 0o1777, uid: 0 });
    expect((await layer(image, 3)).get('etc/uk')).toMatchObject({ type: 'directory' });
    const urunc = JSON.parse((await layer(image, 3)).get('urunc.json')?.bytes.toString() ?? '');
    expect(Buffer.from(urunc['com.urunc.unikernel.unikernelType'], 'base64').toString()).toBe('linux');
    const written = JSON.parse((await layer(image, 0)).get('boot/profile.json')?.bytes.toString() ?? '');
    expect(written).toEqual(profile);
  });

  test('the same input gives the same image, in another folder, another store, another time', async () => {
    const first = await build({ adds: [{ source: await put('one/data/x', 'x'), destination: '/data/x' }] });
    const elsewhere = await openContentStore(join(dir, 'elsewhere'));
    const request = {
      app: await put('two/hello', makeElf({ dynamic: false, type: 2 })),
      adds: [{ source: await put('two/data/x', 'x'), destination: '/data/x' }],
    };
    expect(await build(request, {}, elsewhere)).toEqual(first);
  });

  test('an image of one program stays what it was with earlier versions of uk', async () => {
    const image = await build({ args: ['--port', '80'], env: ['A=b'] });
    // The config names the diff_ids of all layers. Digests of compressed layers depend on the version of Node as well.
    expect(image.config.digest).toBe('sha256:4891aa707655d194e7172e8f66dc75cf1d5df07b0e5b9e2f6c13961bc56e04f1');
  });

  test('the time of an image is the one that is asked for', async () => {
    const image = await build({}, { sourceDateEpoch: 1700000000 });
    expect((await configOf(image)).created).toBe('2023-11-14T22:13:20Z');
    for (const index of [0, 1, 2, 3]) {
      for (const entry of (await layer(image, index)).values()) expect(entry.mtime).toBe(1700000000);
    }
  });

  test('a time after the year 9999 is none that OCI can say', async () => {
    const image = await build({}, { sourceDateEpoch: 253402300799 });
    expect((await configOf(image)).created).toBe('9999-12-31T23:59:59Z');
    await expect(build({}, { sourceDateEpoch: 253402300800 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('gzip', async () => {
    const [zstd, gzip] = [await build(), await build({}, { compression: 'gzip' })];
    expect(gzip.layers.map(({ descriptor }) => descriptor.mediaType)).toEqual(Array(4).fill(MEDIA_TYPE.layerGzip));
    expect(gzip.layers.map(({ diffId }) => diffId)).toEqual(zstd.layers.map(({ diffId }) => diffId));
  });

  test('the kernel layer is the same in every image, and made once', async () => {
    const [one, two] = [await build(), await build({ args: ['x'] })];
    expect(two.layers[0]).toEqual(one.layers[0]);
    const again = await build({ kernel: kernelFiles('other') });
    expect(again.layers[0]).not.toEqual(one.layers[0]);
    await rm(await store.path(one.layers[0]?.descriptor.digest ?? 'sha256:'));
    expect((await build()).layers[0]).toEqual(one.layers[0]);
    await expect(store.path(one.layers[0]?.descriptor.digest ?? 'sha256:')).resolves.toBeDefined();
  });

  test('a missing kernel is named', async () => {
    const kernel = { ...kernelFiles(), vmlinux: join(dir, 'nothing') };
    await expect(build({ kernel })).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('nothing'),
    });
  });
});

describe('added files', () => {
  test('go into the layer that is named, with modes, links and hard links', async () => {
    await put('tree/sub/b', 'same');
    await link(join(dir, 'tree/sub/b'), join(dir, 'tree/sub/c'));
    await symlink('../x', join(dir, 'tree/sub/l'));
    await chmod(join(dir, 'tree/sub'), 0o2750);
    const source = await put('conf', 'text');
    const image = await build({
      adds: [
        { source: join(dir, 'tree'), destination: '/srv' },
        { source, destination: '/etc/app/', layer: 'config' },
        { source, destination: '/lib/data', layer: 'deps' },
      ],
    });
    const found = await layer(image, 2);
    expect(found.get('srv/sub')).toMatchObject({ type: 'directory', mode: 0o2750 });
    expect(found.get('srv/sub/b')).toMatchObject({ type: 'file', size: 4 });
    expect(found.get('srv/sub/c')).toMatchObject({ type: 'hardlink', linkname: 'srv/sub/b' });
    expect(found.get('srv/sub/l')).toMatchObject({ type: 'symlink', linkname: '../x' });
    expect((await layer(image, 3)).get('etc/app/conf')?.bytes.toString()).toBe('text');
    expect((await layer(image, 1)).get('usr/lib/data')?.bytes.toString()).toBe('text');
  });

  test('that the program stands among: it stands in the image once', async () => {
    const needed = { needed: ['libtool.so.1'], runpath: '$ORIGIN/../lib' };
    const program = await put('sysroot/opt/tool/bin/run', makeElf(needed));
    await put('sysroot/opt/tool/lib/libtool.so.1', makeElf({ soname: 'libtool.so.1' }));
    await symlink('tool', join(dir, 'sysroot/opt/current'));
    await put('sysroot/opt/tool/data', 'data');
    const adds = [{ source: join(dir, 'sysroot/opt/tool'), destination: '/opt/tool' }];
    const image = await build({ app: program, adds });
    expect([...(await layer(image, 2)).keys()].filter((path) => path.startsWith('opt/tool/'))).toEqual([
      ...['opt/tool/bin', 'opt/tool/bin/run', 'opt/tool/data', 'opt/tool/lib', 'opt/tool/lib/libtool.so.1'],
    ]);
    await expect(build({ app: join(dir, 'sysroot/opt/current/bin/run'), adds })).resolves.toBeDefined();
    expect((await configOf(image)).config?.Entrypoint).toEqual(['/opt/tool/bin/run']);
  });

  test("that a script's interpreter stands among, under two names, too", async () => {
    const interpreter = await put('sysroot/opt/tool/bin/run', makeElf({ dynamic: false, type: 2 }));
    await link(interpreter, join(dir, 'sysroot/opt/tool/bin/second'));
    const script = await put('sysroot/opt/tool/start', '#!/opt/tool/bin/run\n');
    await chmod(script, 0o755);
    const image = await build({
      app: script,
      adds: [
        { source: join(dir, 'sysroot/opt/tool'), destination: '/opt/tool' },
        { source: join(dir, 'sysroot/opt/tool/bin'), destination: '/opt/tool/bin', layer: 'deps' },
      ],
    });
    const found = await layer(image, 2);
    expect(found.get('opt/tool/bin/run')).toMatchObject({ type: 'file' });
    expect(found.get('opt/tool/bin/second')).toMatchObject({ type: 'hardlink', linkname: 'opt/tool/bin/run' });
    expect([...(await layer(image, 1)).keys()].filter((path) => path.startsWith('opt/tool/bin/'))).toEqual([]);
  });

  test('of other content or another mode at the same path are an error that names both', async () => {
    const first = await put('one/file', 'one');
    const second = await put('two/file', 'two');
    const adds = [first, second].map((source) => ({ source, destination: '/etc/file' }));
    await expect(build({ adds })).rejects.toMatchObject({
      code: 'PATH_CONFLICT',
      message: expect.stringMatching(/one\/file .* and .*two\/file/),
    });
    await writeFile(second, 'one');
    await expect(build({ adds })).resolves.toBeDefined();
    await chmod(second, 0o600);
    await expect(build({ adds })).rejects.toMatchObject({ code: 'PATH_CONFLICT' });
  });

  test.each([
    ['a name', Buffer.from('caf\xe9', 'latin1'), /the name of a file in .*names is not UTF-8: \$'caf\\xe9'/],
    ['a quoted one', Buffer.from("\xff'\n", 'latin1'), /is not UTF-8: \$'\\xff\\'\\x0a'/],
  ])('%s that is not UTF-8 is shown, escaped', async (_what, name, message) => {
    await put('names/plain', '');
    await writeFile(Buffer.concat([Buffer.from(join(dir, 'names/')), name]), '');
    await expect(build({ adds: [{ source: join(dir, 'names'), destination: '/srv' }] })).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test("a link's target that is not UTF-8 is shown, escaped", async () => {
    await mkdir(join(dir, 'links'));
    await symlink(Buffer.from('\xe9', 'latin1'), join(dir, 'links/l'));
    await expect(build({ adds: [{ source: join(dir, 'links'), destination: '/srv' }] })).rejects.toMatchObject({
      message: expect.stringMatching(/the target of the link .*links\/l is not UTF-8: \$'\\xe9'/),
    });
  });

  const xattrs = new Map([['user.mime', Buffer.from([0, 10, 255])]]);
  /** Makes a file with attributes; Node cannot, tar can. */
  async function attributed(path: string, bytes: Buffer): Promise<boolean> {
    const held = new MemoryStore();
    const entry: LayerEntry = { path, type: 'file', mode: 0o755, uid: 0, gid: 0, source: { bytes }, xattrs };
    await writeLayer([entry], held, { compression: 'gzip' });
    const unpack = ['-xzf', '-', '--xattrs', '--xattrs-include=*', '--no-same-owner', '-C', dir];
    return spawnSync('tar', unpack, { input: held.blob }).stderr.length === 0;
  }
  const NO_XATTRS = 'the file system of /tmp has no attributes';

  test('keep their extended attributes', async ({ skip }) => {
    skip(!(await attributed('attributes/x', Buffer.from('x'))), NO_XATTRS);
    const source = join(dir, 'attributes');
    const image = await build({ adds: [{ source, destination: '/srv' }] });
    expect((await layer(image, 2)).get('srv/x')?.xattrs).toEqual(xattrs);
    const alone = await build({ adds: [{ source: join(source, 'x'), destination: '/x' }] });
    expect((await layer(alone, 2)).get('x')?.xattrs).toEqual(xattrs);
  });

  test('a program and its libraries keep them too, wherever they are found', async ({ skip }) => {
    const library = (soname: string) => makeElf({ soname });
    const needed = ['libsystem.so.1', 'libbeside.so.1'];
    const made = [
      await attributed('sysroot/usr/lib/libsystem.so.1', library('libsystem.so.1')),
      await attributed('own/real.so', library('libbeside.so.1')),
      await attributed('own/real', makeElf({ needed, runpath: '$ORIGIN' })),
    ];
    skip(made.includes(false), NO_XATTRS);
    await symlink('real.so', join(dir, 'own/libbeside.so.1'));
    await symlink('real', join(dir, 'own/program'));
    const image = await build({ app: join(dir, 'own/program') });
    expect((await layer(image, 2)).get('app/program')?.xattrs).toEqual(xattrs);
    const deps = await layer(image, 1);
    expect(deps.get('usr/lib/libsystem.so.1')?.xattrs).toEqual(xattrs);
    expect(deps.get('app/libbeside.so.1')).toMatchObject({ type: 'file', xattrs });
  });

  test('replace the skeleton', async () => {
    const image = await build({ adds: [{ source: await put('passwd', 'www'), destination: '/etc/passwd' }] });
    expect((await layer(image, 2)).get('etc/passwd')?.bytes.toString()).toBe('www');
    expect((await layer(image, 1)).has('etc/passwd')).toBe(false);
  });

  test.each<[string, string, string]>([
    ['on another file', '/app/hello', 'PATH_CONFLICT'],
    ["on the kernel's", '/boot/vmlinux', 'PATH_CONFLICT'],
    ["on urunc's", '/urunc.json', 'PATH_CONFLICT'],
    ['below a file', '/app/hello/x', 'PATH_CONFLICT'],
    ['nowhere', 'relative', 'SOURCE_INVALID'],
  ])('%s: refused', async (_name, destination, code) => {
    const source = await put('file', 'text');
    await expect(build({ adds: [{ source, destination }] })).rejects.toMatchObject({ code });
  });

  test('a link that is named stands for the folder or the file that it leads to', async () => {
    await chmod(await put('real/sub/x', 'x'), 0o640);
    await symlink('x', join(dir, 'real/sub/inner'));
    await symlink('real', join(dir, 'folder'));
    await symlink('real/sub/x', join(dir, 'file'));
    await symlink('nowhere', join(dir, 'dangling'));
    const add = (name: string, destination: string) => ({ source: join(dir, name), destination });
    const image = await build({ adds: [add('folder', '/srv/data'), add('folder', '/opt/'), add('file', '/etc/')] });
    const found = await layer(image, 2);
    for (const path of ['srv/data', 'opt/folder']) {
      expect(found.get(path)).toMatchObject({ type: 'directory' });
      expect(found.get(`${path}/sub/x`)?.bytes.toString()).toBe('x');
      expect(found.get(`${path}/sub/inner`)).toMatchObject({ type: 'symlink', linkname: 'x' });
    }
    expect(found.get('etc/file')).toMatchObject({ type: 'file', mode: 0o640 });
    await expect(build({ adds: [add('dangling', '/x')] })).rejects.toMatchObject({ code: 'SOURCE_INVALID' });
  });

  test('in /boot must agree with the kernel layer', async () => {
    await put('tree/boot/x', 'x');
    const add = async (name = 'tree') => await build({ adds: [{ source: join(dir, name), destination: '/' }] });
    expect((await layer(await add(), 2)).get('boot')).toMatchObject({ mode: 0o755, uid: 0 });
    await chmod(join(dir, 'tree/boot'), 0o700);
    await expect(add()).rejects.toMatchObject({ code: 'PATH_CONFLICT', message: expect.stringContaining('/boot') });
    await mkdir(join(dir, 'linked'));
    await symlink('/etc', join(dir, 'linked/boot'));
    await expect(add('linked')).rejects.toMatchObject({
      code: 'PATH_CONFLICT',
      message: expect.stringContaining('/boot'),
    });
  });

  test('that are missing are named', async () => {
    const adds = [{ source: join(dir, 'gone'), destination: '/x' }];
    await expect(build({ adds })).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('gone'),
    });
  });

  test('programs among them must find their libraries if they are named; in a folder it is said', async () => {
    const source = await put('plug/plugin.so', makeElf({ needed: ['libnone.so'] }));
    await expect(build({ adds: [{ source, destination: '/x/' }] })).rejects.toMatchObject({ code: 'LIBRARY_MISSING' });
    const warnings: string[] = [];
    const onProgress: BuildOptions['onProgress'] = ({ warning }) => warning !== undefined && warnings.push(warning);
    await build({ adds: [{ source: dirname(source), destination: '/x' }] }, { onProgress });
    expect(warnings).toEqual([`${source}: libnone.so not found`]);
  });
});

describe('rebuildConfig', () => {
  test('replaces the config layer and nothing else, and keeps what is not mentioned', async () => {
    const adds = [{ source: await put('conf', 'kept'), destination: '/etc/kept', layer: 'config' as const }];
    const first = await build({ env: ['A=1', 'B=2'], args: ['x'], labels: { mine: 'yes' }, adds });
    const second = await rebuildConfig(first.descriptor, { env: ['A=3'], args: ['y'] }, store);
    expect(second.layers.slice(0, 3)).toEqual(first.layers.slice(0, 3));
    expect(second.layers[3]).not.toEqual(first.layers[3]);
    expect((await configOf(second)).config).toMatchObject({
      Entrypoint: ['/app/hello'],
      Env: ['A=3', 'B=2'],
      Cmd: ['y'],
      Labels: { mine: 'yes' },
    });
    expect((await layer(second, 3)).get('etc/kept')?.bytes.toString()).toBe('kept');
    expect(await validateImage(store, second.descriptor)).toMatchObject({
      profile: 'qemu-microvm',
      kernelVariant: 'default',
    });
  });

  test('without changes it gives the image that it began with', async () => {
    const first = await build({ args: ['x'], labels: { mine: 'yes' } });
    expect(await rebuildConfig(first.descriptor, {}, store)).toEqual(first);
  });

  test('adds to the config layer, and replaces what was added before; not what stands elsewhere', async () => {
    const before = await put('before', 'before');
    const first = await build({ adds: [{ source: before, destination: '/etc/a', layer: 'config' }] });
    const source = await put('after', 'after');
    const add = (destination: string) => ({ adds: [{ source, destination, layer: 'config' as const }] });
    const second = await rebuildConfig(first.descriptor, add('/etc/a'), store);
    expect((await layer(second, 3)).get('etc/a')?.bytes.toString()).toBe('after');
    await expect(rebuildConfig(first.descriptor, add('/app/hello'), store)).rejects.toMatchObject({
      code: 'PATH_CONFLICT',
    });
  });
});

test('a name of a file of several names is replaced, and the other names keep its content', async () => {
  await put('tree/a', 'old');
  for (const name of ['b', 'c']) await link(join(dir, 'tree/a'), join(dir, 'tree', name));
  const adds = [{ source: join(dir, 'tree'), destination: '/etc/x', layer: 'config' as const }];
  const first = await build({ adds });
  expect((await layer(first, 3)).get('etc/x/b')).toMatchObject({ type: 'hardlink', linkname: 'etc/x/a' });
  const source = await put('new', 'new');
  const replace = async (from: BuiltImage, name: string) => {
    const added = [{ source, destination: `/etc/x/${name}`, layer: 'config' as const }];
    return await rebuildConfig(from.descriptor, { adds: added }, store);
  };
  const second = await replace(first, 'a');
  const found = await layer(second, 3);
  expect(found.get('etc/x/a')?.bytes.toString()).toBe('new');
  expect(found.get('etc/x/b')).toMatchObject({ type: 'file', bytes: Buffer.from('old') });
  expect(found.get('etc/x/c')).toMatchObject({ type: 'hardlink', linkname: 'etc/x/b' });
  const third = await layer(await replace(second, 'c'), 3);
  expect(third.get('etc/x/b')?.bytes.toString()).toBe('old');
  expect(third.get('etc/x/c')?.bytes.toString()).toBe('new');
});

test('annotations that a tool has dropped are read from the kernel layer', async () => {
  const first = await build();
  const { annotations: _, ...bare } = JSON.parse((await store.read(first.descriptor.digest)).toString());
  const bytes = Buffer.from(JSON.stringify(bare));
  const descriptor = { mediaType: MEDIA_TYPE.manifest, digest: digestOf(bytes), size: bytes.length };
  await store.write(descriptor, Readable.from([bytes]));
  const told = { profile: 'qemu-microvm', kernelVariant: 'default' };
  expect(await validateImage(store, descriptor)).toMatchObject(told);
  expect((await kernelLayerOf(descriptor, store)).variant).toBe('default');
  expect(await rebuildConfig(descriptor, {}, store)).toEqual(first);
});

test('what is added to the config layer agrees with the links and folders of the layers that stay', async () => {
  const source = await put('text', 'text');
  await put('secret/x', 'x');
  await chmod(join(dir, 'secret'), 0o700);
  const first = await build({ adds: [{ source: join(dir, 'secret'), destination: '/srv/secret' }] });
  const add = async (destination: string, from = source) =>
    await rebuildConfig(first.descriptor, { adds: [{ source: from, destination, layer: 'config' }] }, store);
  const conflict = { code: 'PATH_CONFLICT', message: expect.stringContaining('/var/run') };
  await expect(add('/var/run/x')).rejects.toMatchObject(conflict);
  const second = await layer(await add('/srv/secret/y'), 3);
  expect(second.get('srv/secret')).toMatchObject({ type: 'directory', mode: 0o700 });
  expect(second.get('srv/secret/y')?.bytes.toString()).toBe('text');
  expect(second.has('srv/secret/x')).toBe(false);
  expect((await layer(await add('/tmp/y'), 3)).get('tmp')).toMatchObject({ mode: 0o1777 });
  await mkdir(join(dir, 'tree'));
  await symlink('/etc', join(dir, 'tree/srv'));
  await expect(add('/', join(dir, 'tree'))).rejects.toMatchObject({ code: 'PATH_CONFLICT' });
});

test('a config layer that unpacks large is not read into memory', async () => {
  const source = await put('large', '');
  await truncate(source, 64 * 1024 * 1024 + 1);
  const { descriptor } = await build({ adds: [{ source, destination: '/etc/large', layer: 'config' }] });
  await expect(rebuildConfig(descriptor, {}, store)).rejects.toMatchObject({
    code: 'LAYER_INVALID',
    message: expect.stringContaining('more than 67108864 bytes'),
  });
});

describe('kernel images', () => {
  test('hold the layer that images have, and give it', async () => {
    const kernel = await buildKernelImage(kernelFiles(), profile, store);
    const image = await build();
    expect(kernel.layers).toEqual(image.layers.slice(0, 1));
    for (const { descriptor } of [kernel, image]) {
      const found = await kernelLayerOf(descriptor, store);
      expect(found).toMatchObject({ variant: 'default', profile, kernelJson: { version: '6.12.1' } });
      expect(await build({ kernel: found, profile: found.profile })).toEqual(image);
    }
  });

  test('are no images to run', async () => {
    const { descriptor } = await buildKernelImage(kernelFiles(), profile, store);
    await expect(validateImage(store, descriptor)).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      message: expect.stringContaining('holds only a kernel'),
    });
  });
});

describe('indexes', () => {
  test('have one image per profile; the first is the default', async () => {
    const other = { ...profile, name: 'other' };
    const [one, two] = [await build(), await build({ profile: other })];
    const index = await buildIndex([one.descriptor, two.descriptor], store);
    expect(index.mediaType).toBe(MEDIA_TYPE.index);
    expect((await validateImage(store, index)).descriptor.digest).toBe(one.descriptor.digest);
    expect((await validateImage(store, index, { profile: 'other' })).descriptor.digest).toBe(two.descriptor.digest);
    await expect(validateImage(store, index, { profile: 'none' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: 'it has: qemu-microvm, other',
    });
    await expect(buildIndex([one.descriptor, one.descriptor], store)).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
    });
  });

  test('partly pulled: the first that is there, and an error that says how to get another', async () => {
    const other = { ...profile, name: 'other' };
    const [one, two] = [await build(), await build({ profile: other })];
    const index = await buildIndex([one.descriptor, two.descriptor], store);
    await rm(await store.path(one.descriptor.digest));
    expect((await validateImage(store, index)).profile).toBe('other');
    expect((await kernelLayerOf(index, store)).profile.name).toBe('other');
    await rm(await store.path(two.descriptor.digest));
    for (const name of ['qemu-microvm', 'other']) {
      await expect(validateImage(store, index, { profile: name })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining(`the profile ${name}`),
        hint: expect.stringContaining(`uk pull --profile ${name} REF`),
      });
    }
  });
});
