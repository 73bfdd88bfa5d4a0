// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { linesOfSources, stanzasOfSources, writeAptConfig } from './apt-sources.ts';

test('lines become those of source packages, once', () => {
  const text = [
    '# deb http://commented/ bookworm main',
    'deb http://deb.debian.org/debian bookworm main contrib',
    'deb-src http://deb.debian.org/debian bookworm main contrib',
    ' deb [arch=amd64 signed-by=/k.gpg] https://example.org/x ./',
  ].join('\n');
  expect(linesOfSources(text)).toBe(
    [
      'deb-src http://deb.debian.org/debian bookworm main contrib',
      'deb-src [arch=amd64 signed-by=/k.gpg] https://example.org/x ./',
      '',
    ].join('\n'),
  );
});

test('stanzas become those of source packages, and keep whom they trust', () => {
  const text = 'Types: deb deb-src\nURIs: http://a/\nSigned-By: /k.gpg\n\nTypes: deb\nURIs: http://b/\n';
  expect(stanzasOfSources(text)).toBe(
    'Types: deb-src\nURIs: http://a/\nSigned-By: /k.gpg\n\nTypes: deb-src\nURIs: http://b/\n',
  );
});

test('a stanza of source packages alone stays', () => {
  expect(stanzasOfSources('Types: deb-src\nURIs: http://a/\n')).toBe('Types: deb-src\nURIs: http://a/\n');
});

test('the configuration writes in its own folder only', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'uk-apt-'));
  try {
    const system = join(folder, 'system');
    await mkdir(join(system, 'sources.list.d'), { recursive: true });
    await writeFile(join(system, 'sources.list'), 'deb http://a/ x main\n');
    await writeFile(join(system, 'sources.list.d', 'debian.sources'), 'Types: deb\nURIs: http://b/\n');
    await writeFile(join(system, 'sources.list.d', 'debian.sources.save'), 'Types: deb\n');
    const own = join(folder, 'own');
    const config = await readFile(await writeAptConfig(own, system), 'utf8');
    expect(config).toContain(`Dir::State::lists "${own}/lists";`);
    expect(config).toContain(`Dir::Cache "${own}/cache";`);
    expect(await readdir(join(own, 'sources.list.d'))).toEqual(['0-main.list', 'debian.sources']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a system without such files gives none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'uk-apt-'));
  try {
    await writeAptConfig(join(folder, 'own'), join(folder, 'nothing'));
    expect(await readdir(join(folder, 'own', 'sources.list.d'))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
