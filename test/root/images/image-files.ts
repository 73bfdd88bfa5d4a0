// SPDX-License-Identifier: Apache-2.0
import { chown, copyFile, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mustRun } from './command.ts';
import { type Compiler, FILES, type ImageFile } from './recipe.ts';

const root = join(import.meta.dirname, '../../..');

/** Writes a tar archive of these files alone: folders on the way stay as the image below has them. */
export async function packFiles(files: readonly ImageFile[], tar: string, work: string): Promise<void> {
  const tree = await mkdtemp(join(work, 'files-'));
  for (const file of files) await place(file, join(tree, file.path));
  const names = files.map(({ path }) => `.${path}\n`).join('');
  await mustRun(['tar', '-C', tree, '--numeric-owner', '-cf', tar, '-T', '-'], { input: names });
}

async function place(file: ImageFile, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  if ('link' in file) return symlink(file.link, target);
  if ('text' in file) await writeFile(target, file.text);
  else if ('copy' in file) await copyFile(join(FILES, file.copy), target);
  else await compile(join(FILES, file.compile), file.compiler, target);
  const [uid, gid] = (file.owner ?? '0:0').split(':').map(Number);
  await chown(target, uid ?? 0, gid ?? 0);
  await mustRun(['chmod', file.mode ?? ('compile' in file ? '755' : '644'), target]);
}

async function compile(source: string, compiler: Compiler, target: string): Promise<void> {
  if (compiler !== 'go') {
    await mustRun([compiler, '-O2', '-pthread', '-Wall', '-Wextra', '-Werror', source, '-o', target]);
    return;
  }
  const go = await mustRun(['sh', join(root, 'test/setup/go.sh')], { cwd: root });
  // One file, nothing from outside; the user's settings for his own work do not count.
  const env = {
    ...process.env,
    CGO_ENABLED: '0',
    GOTOOLCHAIN: 'local',
    GOFLAGS: '',
    GOWORK: 'off',
    GO111MODULE: 'off',
  };
  await mustRun([go, 'build', '-trimpath', '-buildvcs=false', '-o', target, source], { env });
}
