// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { VolumeRequest } from '../../volumes/request.ts';
import { splitCsv } from '../volumes/csv.ts';
import { addVolumeOptions, collectMount, collectTmpfs, collectVolume, volumeRequests } from './volume-options.ts';

const base = mkdtempSync(join(tmpdir(), 'uk-volume-options-'));
const site = join(base, 'site');
mkdirSync(site);
mkdirSync(join(base, 'a,b'));
symlinkSync(site, join(base, 'link'));
writeFileSync(join(base, 'file'), '');
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** The folder `site` as somebody in this process's folder would write it. */
const here = relative(process.cwd(), site);

const USUAL = ['noexec', 'nosuid', 'nodev'];

describe('--volume', () => {
  test.each<[string, VolumeRequest]>([
    [`${site}:/srv`, { kind: 'folder', folder: site, path: '/srv', readOnly: false }],
    [`${site}/:/srv:ro`, { kind: 'folder', folder: site, path: '/srv', readOnly: true }],
    [`${here}:/srv:rw,z`, { kind: 'folder', folder: site, path: '/srv', readOnly: false }],
    [`${base}/link:/srv:Z,ro`, { kind: 'folder', folder: join(base, 'link'), path: '/srv', readOnly: true }],
    ['.:/srv', { kind: 'folder', folder: process.cwd(), path: '/srv', readOnly: false }],
    ['data:/var/lib/x', { kind: 'named', name: 'data', path: '/var/lib/x', readOnly: false, copy: true }],
    ['d.a-t_a:/x:ro,nocopy', { kind: 'named', name: 'd.a-t_a', path: '/x', readOnly: true, copy: false }],
    ['data:/a//b/./c/../d/', { kind: 'named', name: 'data', path: '/a/b/d', readOnly: false, copy: true }],
    ['data://x', { kind: 'named', name: 'data', path: '/x', readOnly: false, copy: true }],
    ['/scratch', { kind: 'tmpfs', path: '/scratch', options: [], copy: true }],
  ])('%s', (text, request) => expect(collectVolume(text)).toEqual([request]));

  test.each([
    ['', /write SRC:DST/],
    ['a:/b:ro:x', /write SRC:DST/],
    ['data', /must be absolute: "data"/],
    ['data:x', /must be absolute: "x"/],
    ['/scratch:ro', /must be absolute: "ro"/],
    [':/x', /"" is not a name/],
    ['data:', /must be absolute/],
    ['data:/', /the place of \//],
    ['data:/a/..', /the place of \//],
    ['data://', /the place of \//],
    ['data:/.uk/x', /guest's own/],
    ['data:/proc', /guest's own/],
    ['data:/proc/self', /guest's own/],
    ['data:/dev/', /guest's own/],
    [`data:/${'x'.repeat(256)}`, /too long/],
    [`data:${'/xxx'.repeat(1024)}`, /too long/],
    ['site/sub:/x', /a folder is written \.\/site\/sub/],
    ['-data:/x', /"-data" is not a name/],
    [`${'x'.repeat(129)}:/x`, /is not a name/],
    ['data:/x:ro,rw', /exclude each other/],
    ['data:/x:U', /no option "U"/],
    ['data:/x:', /no option ""/],
    ['data:/x:ro,', /no option ""/],
    [`${site}:/x:nocopy`, /named volumes/],
    [`${site}-none:/x`, /there is no folder .*site-none; mkdir -p/],
    [`${base}/file:/x`, /is no folder.*--add/],
    [`${base}/file/x:/x`, /cannot share .*ENOTDIR/],
    ['/a\0:/x', /NUL/],
    ['data:/x\0', /NUL/],
  ])('refuses %j', (text, message) => {
    expect(() => collectVolume(text)).toThrow(InvalidArgumentError);
    expect(() => collectVolume(text)).toThrow(message);
  });

  test.each(['/development', '/dev/shm', '/processes', '/.ukulele', '/sys/fs/cgroup', '/...'])('%s is free', (path) =>
    expect(collectVolume(path)).toEqual([{ kind: 'tmpfs', path, options: [], copy: true }]),
  );
});

describe('--mount', () => {
  test.each<[string, VolumeRequest]>([
    [`type=bind,src=${site},dst=/srv`, { kind: 'folder', folder: site, path: '/srv', readOnly: false }],
    [`type=bind,source=${here},target=/srv,readonly`, { kind: 'folder', folder: site, path: '/srv', readOnly: true }],
    [
      `type=bind,"src=${base}/a,b",destination=/srv,ro=1`,
      { kind: 'folder', folder: join(base, 'a,b'), path: '/srv', readOnly: true },
    ],
    ['src=data,dst=/x', { kind: 'named', name: 'data', path: '/x', readOnly: false, copy: true }],
    [
      'TYPE=volume,src=data,dst=/x,readonly=true,volume-nocopy',
      { kind: 'named', name: 'data', path: '/x', readOnly: true, copy: false },
    ],
    ['dst=/x,src=data,ro=false', { kind: 'named', name: 'data', path: '/x', readOnly: false, copy: true }],
    ['type=volume,dst=/x', { kind: 'tmpfs', path: '/x', options: [], copy: true }],
    ['type=tmpfs,dst=/x', { kind: 'tmpfs', path: '/x', options: USUAL }],
    [
      'type=tmpfs,dst=/x,tmpfs-size=64m,tmpfs-mode=01777,ro',
      { kind: 'tmpfs', path: '/x', options: ['ro', ...USUAL, 'size=67108864', 'mode=1777'] },
    ],
  ])('%s', (text, request) => expect(collectMount(text)).toEqual([request]));

  test.each([
    ['', /"" is not known/],
    ['dst=/x,', /"" is not known/],
    ['type=bind,dst=/x', /src is missing/],
    ['type=bind,src=./none,dst=/x', /no folder/],
    ['src=data', /dst is missing/],
    ['type=npipe,dst=/x', /no type "npipe"/],
    ['type=tmpfs,src=data,dst=/x', /type tmpfs has no src/],
    ['type=tmpfs,dst=/x,tmpfs-size=much', /is no size/],
    ['type=volume,dst=/x,tmpfs-size=1m', /type volume has no tmpfs-size/],
    ['type=bind,src=.,dst=/x,volume-nocopy', /type bind has no volume-nocopy/],
    ['type=bind,src=.,dst=/x,bind-propagation=shared', /"bind-propagation" is not known/],
    ['src=data,dst=/x,target=/y', /dst is given twice/],
    ['src,dst=/x', /src needs a value/],
    ['src=data,dst=/x,ro=perhaps', /true or false/],
    ['src=./data,dst=/x', /not a name/],
    ['src=data,dst="/x"', /whole field/],
    ['src=data,"dst=/x', /not closed/],
    ['"src=data"x,dst=/x', /a comma must/],
  ])('refuses %j', (text, message) => {
    expect(() => collectMount(text)).toThrow(InvalidArgumentError);
    expect(() => collectMount(text)).toThrow(message);
  });

  test('what is written as CSV is read as it was', () => {
    const write = (field: string) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (fields) => {
        expect(splitCsv(fields.map(write).join(','))).toEqual(fields);
      }),
    );
  });
});

describe('--tmpfs', () => {
  test.each([
    ['/tmp', USUAL],
    ['/tmp:rw,noexec,nosuid,nodev', USUAL],
    ['/tmp:exec', ['nosuid', 'nodev']],
    ['/tmp:size=65536k,mode=0700,ro', ['ro', ...USUAL, 'size=67108864', 'mode=700']],
    ['/tmp:size=50%,mode=0', [...USUAL, 'size=50%', 'mode=0']],
  ])('%s', (text, options) => expect(collectTmpfs(text)).toEqual([{ kind: 'tmpfs', path: '/tmp', options }]));

  test.each([
    ['', /must be absolute/],
    ['tmp', /must be absolute/],
    ['/', /the place of \//],
    ['/tmp:', /no option ""/],
    ['/tmp:uid=1', /no option "uid=1"/],
    ['/tmp:suid', /no option "suid"/],
    ['/tmp:constructor', /no option "constructor"/],
    ['/tmp:size', /no size/],
    ['/tmp:size=0', /no size/],
    ['/tmp:size=101%', /no size/],
    ['/tmp:mode=rwx', /no mode/],
    ['/tmp:mode=17777', /no mode/],
    ['/tmp:exec,noexec', /exclude each other/],
  ])('refuses %j', (text, message) => {
    expect(() => collectTmpfs(text)).toThrow(InvalidArgumentError);
    expect(() => collectTmpfs(text)).toThrow(message);
  });
});

const PIECES = [
  'type=',
  'bind',
  'volume',
  'tmpfs',
  'src=',
  'dst=',
  '/',
  '.',
  ':',
  ',',
  '"',
  '=',
  'ro',
  'size=',
  'mode=',
];

test('no text crashes: it is read, or refused in one line', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 3 }))).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(fc.constantFrom(collectVolume, collectMount, collectTmpfs), text, (collect, written) => {
      try {
        for (const { path } of collect(written)) {
          expect(path).toMatch(/^\/[^/]/);
          expect(path.split('/').filter((name) => name === '.' || name === '..')).toEqual([]);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidArgumentError);
        expect((error as Error).message).not.toMatch(/[\n\r]/);
      }
    }),
    { numRuns: 2_000 },
  );
});

describe('all volumes of a command line', () => {
  test('are those of all three options', () => {
    const command = new Command().exitOverride();
    addVolumeOptions(command);
    const args = ['-v', 'b:/data/deep/b', '--mount', 'src=a,dst=/data', '--tmpfs', '/tmp', '-v', '/data/deep'];
    command.parse(args, { from: 'user' });
    const paths = volumeRequests(command.opts()).map(({ path }) => path);
    expect(paths.sort()).toEqual(['/data', '/data/deep', '/data/deep/b', '/tmp']);
  });

  test('none', () => expect(volumeRequests({})).toEqual([]));

  test('two with one path are refused, however it is written', () => {
    const flags = { volume: collectVolume('a:/x/'), tmpfs: collectTmpfs('//x') };
    expect(() => volumeRequests(flags)).toThrow(/two volumes for \/x/);
  });

  test('one that is written to has one path; one that is only read may have several', () => {
    const twice = (first: string, second: string) =>
      volumeRequests({ volume: collectVolume(second, collectVolume(first)) });
    for (const [first, second] of [
      ['a:/x', 'a:/y'],
      ['a:/x:ro', 'a:/y'],
      ['a:/x', 'a:/y:ro'],
    ] as const) {
      expect(() => twice(first, second)).toThrow(/volume a is given for two paths, .*\/[xy].*\/[xy]/);
    }
    expect(twice('a:/x:ro', 'a:/y:ro')).toHaveLength(2);
  });
});
