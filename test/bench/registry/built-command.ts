// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../whole/command.ts';

/**
 * The command as an installed package has it: built JavaScript, where a checkout runs its sources and keeps what strips
 * their types in memory. Removed when this process ends.
 */
export function builtCommand(): string {
  const folder = mkdtempSync(join(tmpdir(), 'uk-bench-command-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const config = join(root, 'test/package/tsconfig.json');
  execFileSync('tsc', ['-p', config, '--outDir', join(folder, 'dist')], { stdio: 'inherit' });
  for (const path of ['package.json', 'puller/cli/uk']) cpSync(join(root, path), join(folder, path));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'puller/cli/uk');
}
