// SPDX-License-Identifier: Apache-2.0
// The life cycle with a real kernel in a real monitor.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGuestImage, type GuestImage } from '../guest/guest.ts';
import { runUk, uk } from '../whole/command.ts';
import { until } from './fake-node.ts';

const IMAGE = 'localhost/guest:1';

let image: GuestImage;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  image = await buildGuestImage();
  await image.store.tag(IMAGE, image.descriptor);
  env = { UK_STORE: join(image.folder, 'store') };
});
afterAll(async () => {
  if (image === undefined) return;
  const ids = (await uk(['ps', '-aq'], { env })).split('\n').filter((id) => id !== '');
  if (ids.length > 0) await uk(['rm', '-f', ...ids], { env });
  await image[Symbol.asyncDispose]();
});

function hasEnded(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return true;
  }
}

test('a guest in the background: started, confirmed, signalled, stopped, started again, removed', async () => {
  const id = await uk(['run', '-d', '--name', 'guest', '--entrypoint', '/programs/signals', IMAGE], { env });
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  const [view] = JSON.parse(await uk(['ps', '--json'], { env }));
  expect(view).toMatchObject({ id, name: 'guest', status: 'running' });
  expect(JSON.parse(await uk(['inspect', '--json', 'guest'], { env }))).toMatchObject({ confirmed: true });
  await until('it says that it is ready', async () => (await uk(['logs', 'guest'], { env })) !== '');
  await uk(['stop', '-t', '2', 'guest'], { env });
  expect(hasEnded(view.monitor) && hasEnded(view.supervisor)).toBe(true);
  await uk(['start', 'guest'], { env });
  await uk(['rm', '-f', 'guest'], { env });
  expect(await uk(['ps', '-aq'], { env })).toBe('');
});

test('with its supervisor the monitor ends, and ps tells the truth', async () => {
  await uk(['run', '-d', '--name', 'killed', '--entrypoint', '/programs/signals', IMAGE], { env });
  const { supervisor, monitor } = JSON.parse(await uk(['inspect', '--json', 'killed'], { env }));
  process.kill(supervisor, 'SIGKILL');
  await until('the monitor has ended', () => hasEnded(monitor));
  expect(await uk(['ps', '-a'], { env })).toMatch(/Lost \(255\)/);
  expect(await uk(['inspect', 'killed'], { env })).toMatch(/reason +its supervisor was killed while the program ran/);
  await uk(['rm', 'killed'], { env });
});

test('the same exit status and output as in the foreground', async () => {
  const args = ['--entrypoint', '/programs/report', IMAGE, 'a', 'b'];
  const foreground = await runUk(['run', '--hostname', 'same', ...args], { env });
  await uk(['run', '-d', '--name', 'report', '--hostname', 'same', ...args], { env });
  expect(await uk(['wait', 'report'], { env })).toBe(String(foreground.status));
  const shown = await runUk(['logs', 'report'], { env });
  expect(shown.stdout.toString().split('\n').length).toBe(foreground.stdout.toString().split('\n').length);
  await uk(['rm', 'report'], { env });
});
