// SPDX-License-Identifier: Apache-2.0
// Before a package is packed: JavaScript in `dist/`, because Node strips no types below node_modules, and beside it
// everything else that the rooms read while they run, in the same places as in a checkout.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BUNDLED, bundleScripts } from '../../registry/web/client/bundle.ts';

const root = resolve(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const rooms = ['hardware-profiles', 'image-format', 'kernel-build', 'puller', 'registry'];

rmSync(dist, { recursive: true, force: true });
execFileSync('tsc', ['-p', join(import.meta.dirname, 'tsconfig.json')], { cwd: root, stdio: 'inherit' });

const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...rooms], {
  cwd: root,
  encoding: 'utf8',
});
for (const path of tracked.split('\0')) {
  if (path === '' || path.endsWith('.ts') || path === 'puller/cli/uk') continue;
  mkdirSync(dirname(join(dist, path)), { recursive: true });
  cpSync(join(root, path), join(dist, path));
}

// The scripts of the pages, in one piece each.
const client = 'registry/web/client';
const bundled = join(dist, client, BUNDLED);
mkdirSync(bundled, { recursive: true });
for (const [name, body] of await bundleScripts(join(root, client))) writeFileSync(join(bundled, name), body);
