// SPDX-License-Identifier: Apache-2.0
// Whoever runs a guest may be killed with SIGKILL: nothing of the guest may stay.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGuestImage, type GuestImage } from './guest.ts';

const puller = resolve(import.meta.dirname, '../../puller/index.ts');
let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage();
  await writeFile(
    join(image.folder, 'runner.ts'),
    `import { readFileSync } from 'node:fs';
     import { startInstance } from ${JSON.stringify(puller)};
     const bootable = JSON.parse(readFileSync(process.argv[2], 'utf8'));
     const { stdout, stderr } = process;
     const instance = await startInstance(bootable, { entrypoint: ['/programs/signals'], stdout, stderr });
     console.log('monitor ' + instance.machine.pid + ' ');
     await instance.outcome;`,
  );
  await writeFile(join(image.folder, 'bootable.json'), JSON.stringify(image.bootable));
});
afterAll(() => image?.[Symbol.asyncDispose]());

/** A process that has ended but was not waited for is gone, too. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    return !/\) [ZX]/.test(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function startRunner(env: NodeJS.ProcessEnv): Promise<{ runner: ChildProcess; monitor: number }> {
  const runner = spawn(process.execPath, [join(image.folder, 'runner.ts'), join(image.folder, 'bootable.json')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  let text = '';
  for await (const chunk of runner.stdout ?? []) {
    text += chunk;
    if (text.includes('ready') && text.includes('monitor')) break;
  }
  return { runner, monitor: Number(/monitor (\d+) /.exec(text)?.[1]) };
}

async function pathWithoutSetpriv(): Promise<string> {
  const folder = join(image.folder, 'bin');
  await mkdir(folder);
  await symlink('/usr/bin/qemu-system-x86_64', join(folder, 'qemu-system-x86_64'));
  return folder;
}

test.each([
  ['by the kernel (setpriv)', async () => ({})],
  ['by the guest itself, where there is no setpriv', async () => ({ PATH: await pathWithoutSetpriv() })],
])('the monitor is ended %s', async (_how, environment) => {
  const temporary = join(image.folder, `tmp-${_how.length}`);
  await mkdir(temporary);
  const { runner, monitor } = await startRunner({
    ...(await environment()),
    TMPDIR: temporary,
    XDG_RUNTIME_DIR: temporary,
  });
  expect(await isRunning(monitor)).toBe(true);
  runner.kill('SIGKILL');
  await once(runner, 'exit');
  for (let i = 0; i < 200 && (await isRunning(monitor)); i++) await delay(25);
  expect(await isRunning(monitor)).toBe(false);
  expect(await readdir(temporary)).toEqual([]);
});
