// SPDX-License-Identifier: Apache-2.0
// A container image with its volumes, run by somebody who is not root.
import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf } from '../../puller/root/testing.ts';
import { cacheFolder } from '../../puller/store/folders.ts';
import { root, runUk } from '../whole/command.ts';
import { generalKernel } from './image.ts';
import { ShellImage } from './shell-image.ts';

const NOBODY = 65_534;
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
const LAUNCHER = join(root, 'puller/cli/uk');

const skip =
  process.getuid?.() !== 0
    ? ' (skipped: only root can become somebody else)'
    : spawnSync('setpriv', [...AS_NOBODY, LAUNCHER, '--version']).status !== 0
      ? ' (skipped: others cannot read this checkout)'
      : '';

let folder: string;
let image: ShellImage;

beforeAll(async () => {
  if (skip !== '') return;
  folder = await mkdtemp(join(tmpdir(), 'uk-nobody-'));
  image = await ShellImage.create(folder, { HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') });
  await image.put([tarOf([{ path: 'data/owned', uid: 70, mode: 0o600, content: 'x' }])]);
  await generalKernel();
  await mkdir(join(folder, 'cache'));
  for (const name of ['kernels', 'accelerator']) {
    // What is being built there is nobody's business.
    const filter = (path: string) => !/^building|\.lock$/.test(basename(path));
    await cp(join(cacheFolder(), name), join(folder, 'cache/uk', name), { recursive: true, filter });
  }
  await mkdir(join(folder, 'shared'));
  execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
});
afterAll(async () => {
  if (skip === '') await rm(folder, { recursive: true, force: true });
});

async function says(options: readonly string[], script: string): Promise<string> {
  const args = [...AS_NOBODY, LAUNCHER, ...image.args(options, script)];
  const { status, stdout, stderr } = await runUk(args, { command: 'setpriv', env: image.env, cwd: folder });
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' });
  return stdout.toString().trimEnd();
}

describe.skipIf(skip !== '')(`not root${skip}`, () => {
  test('an image keeps its owners, and so does a volume', async () => {
    const script = "stat -c '%u %a' /data/owned; id -u";
    expect(await says([], script)).toBe('70 600\n0');
    expect(await says(['-v', 'data:/data'], script)).toBe('70 600\n0');
    expect(await says(['-v', 'data:/data'], 'echo y > /data/owned; cat /data/owned')).toBe('y');
  });

  test('what a guest makes in a shared folder belongs to who runs uk', async () => {
    const shared = join(folder, 'shared');
    expect(await says(['-v', `${shared}:/srv`], 'echo x > /srv/made; cat /srv/made')).toBe('x');
    expect((await stat(join(shared, 'made'))).uid).toBe(NOBODY);
  });

  test('--disk and --tmpfs work', async () => {
    expect(await says(['--disk', '64M', '--tmpfs', '/t'], 'echo x > /x; echo y > /t/y; cat /x /t/y')).toBe('x\ny');
  });
});
