// SPDX-License-Identifier: Apache-2.0
// The walls between the rooms, as docs/architecture.md draws them.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importCircles } from './circles.ts';

const root = resolve(import.meta.dirname, '../..');

/** What each room may import of ours, besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'hardware-profiles': [],
  'image-format': ['hardware-profiles'],
  registry: ['image-format'],
  'kernel-build': ['image-format', 'hardware-profiles'],
  puller: ['image-format', 'hardware-profiles'],
  'puller/cli': ['image-format', 'hardware-profiles', 'registry', 'kernel-build', 'puller'],
};

/** From another room only these files may be imported. */
const FACES = [
  'hardware-profiles/index.ts',
  'image-format/index.ts',
  'image-format/layout/index.ts',
  'image-format/archive/index.ts',
  'image-format/import/index.ts',
  'image-format/layers/index.ts',
  'image-format/remote/index.ts',
  'image-format/root/index.ts',
  'image-format/build/index.ts',
  'image-format/build/manifest/index.ts',
  'kernel-build/index.ts',
  'registry/index.ts',
  // What `uk diff` shares with the registry's pages; the registry itself is not loaded for it.
  'registry/browse/offline.ts',
  'puller/index.ts',
  // What describes the commands must not load all that these rooms' faces load.
  'hardware-profiles/memory.ts',
  'hardware-profiles/base-directories.ts',
  'puller/store/folders.ts',
  'puller/volumes/request.ts',
  'puller/volumes/volume-name.ts',
  'puller/instances/signals/names.ts',
  'puller/instances/lifecycle/index.ts',
  'puller/instances/lifecycle/find.ts',
  'puller/instances/agent/index.ts',
  'puller/instances/files/index.ts',
  'puller/errors.ts',
  'image-format/reference.ts',
  // Supervisors must take little memory: the faces load the parsers of manifests and profiles.
  'image-format/errors.ts',
  'image-format/annotations.ts',
  'image-format/layout/durable.ts',
  'image-format/layout/process-owner.ts',
  'image-format/layout/process-start.ts',
  'image-format/layout/ingest.ts',
];

const MAY_IMPORT_EXPRESS = ['registry/http/', 'puller/instances/api/'];

interface Import {
  from: string;
  /** A path from the root for our files, else the package's name. */
  to: string;
  ours: boolean;
}

function roomOf(path: string): string {
  return path.startsWith('puller/cli/') ? 'puller/cli' : (path.split('/')[0] ?? '');
}

function isTest(path: string): boolean {
  return /\.(?:test|suite)\.ts$/.test(path);
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

function importsOf(path: string, text: string): Import[] {
  const found = text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)'([^']+)'/g);
  return [...found].map(([, name = '']) =>
    name.startsWith('.')
      ? {
          from: path,
          to: relative(root, resolve(root, dirname(path), name))
            .split(sep)
            .join('/'),
          ours: true,
        }
      : { from: path, to: name, ours: false },
  );
}

const files = Object.keys(MAY_IMPORT)
  .filter((room) => room !== 'puller/cli')
  .flatMap(sources);
const imports = files
  .filter((path) => !isTest(path))
  .flatMap((path) => importsOf(path, readFileSync(join(root, path), 'utf8')));

test('every way to import is seen', () => {
  const text = `import a from './a.ts';\nimport './b.ts';\nexport * from './c.ts';\nconst d = await import('./d.ts');\nimport type { E } from 'e';`;
  expect(importsOf('registry/x.ts', text).map(({ to }) => to)).toEqual([
    'registry/a.ts',
    'registry/b.ts',
    'registry/c.ts',
    'registry/d.ts',
    'e',
  ]);
});

test('a circle is found, with all its files', () => {
  const circle = importCircles([
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
    { from: 'c', to: 'b' },
    { from: 'c', to: 'd' },
    { from: 'e', to: 'e' },
  ]);
  expect(circle).toEqual([['b', 'c'], ['e']]);
});

describe('walls', () => {
  test('there is something to look at', () => expect(imports.length).toBeGreaterThan(100));

  test('a room imports only the rooms it may', () => {
    const wrong = imports.filter(({ from, to, ours }) => {
      if (!ours) return false;
      const [here, there] = [roomOf(from), roomOf(to)];
      return here !== there && !(MAY_IMPORT[here] ?? []).includes(there);
    });
    expect(wrong).toEqual([]);
  });

  test('another room is entered by its face', () => {
    const wrong = imports.filter(({ from, to, ours }) => ours && roomOf(from) !== roomOf(to) && !FACES.includes(to));
    expect(wrong).toEqual([]);
  });

  test('only the HTTP rooms import Express', () => {
    const wrong = imports.filter(
      ({ from, to }) => to === 'express' && !MAY_IMPORT_EXPRESS.some((folder) => from.startsWith(folder)),
    );
    expect(wrong).toEqual([]);
  });

  test('no files import each other in a circle', () => {
    const ours = imports.filter((one) => one.ours);
    expect(importCircles(ours)).toEqual([]);
  });

  test('a source never imports a test', () => {
    expect(imports.filter(({ to, ours }) => ours && (isTest(to) || to.startsWith('test/')))).toEqual([]);
  });
});
