// SPDX-License-Identifier: Apache-2.0
// Every source file names its licence in its first lines; patches of Linux are under Linux's.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const sources = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => /\.(?:ts|c|h|S|sh|config)$|^puller\/cli\/uk$|\/run$/.test(path));

test('there are sources', () => expect(sources.length).toBeGreaterThan(200));

test('each names its licence', () => {
  const silent = sources.filter((path) => {
    const start = readFileSync(join(root, path), 'utf8').split('\n', 3).join('\n');
    return !/SPDX-License-Identifier: (?:Apache-2\.0|GPL-2\.0-only)\b/.test(start);
  });
  expect(silent).toEqual([]);
});
