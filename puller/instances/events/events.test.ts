// SPDX-License-Identifier: Apache-2.0
import { appendFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InstanceFolder } from '../state/instance-folder.ts';
import { EVENTS, OLD_EVENTS, recordEvent } from './event-log.ts';
import { readEvents } from './read-events.ts';

let folder: string;
let subject: InstanceFolder;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-events-'));
  subject = new InstanceFolder(folder, 'a'.repeat(64));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('events are read back, over a change of the file and a line that was cut', async () => {
  await recordEvent(folder, subject, 'create', { image: 'x' }, 'one');
  const controller = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { action, name } of readEvents(folder, { since: 0, signal: controller.signal })) {
      seen.push(`${action} ${name}`);
      if (action === 'destroy') controller.abort();
    }
  })();
  await delay(150);
  await recordEvent(folder, subject, 'start', {}, 'one');
  await rename(join(folder, EVENTS), join(folder, OLD_EVENTS));
  await appendFile(join(folder, EVENTS), '{"time":"20');
  await recordEvent(folder, subject, 'die', {}, 'one');
  await recordEvent(folder, subject, 'destroy', {}, 'one');
  await reading;
  expect(seen).toEqual(['create one', 'start one', 'die one', 'destroy one']);
});

test('only what lies between since and until', async () => {
  await recordEvent(folder, subject, 'create', {}, 'one');
  const all = async (options: Parameters<typeof readEvents>[1]) => await Array.fromAsync(readEvents(folder, options));
  expect(await all({ since: 0, until: 1 })).toEqual([]);
  expect(await all({ since: 0, until: Date.now() })).toMatchObject([{ action: 'create', id: subject.id }]);
  expect(await all({ until: Date.now() - 1 })).toEqual([]);
});

test('a folder that is not there has no events, and takes none', async () => {
  await recordEvent(join(folder, 'none'), subject, 'create', {}, 'one');
  expect(await Array.fromAsync(readEvents(join(folder, 'none'), { since: 0, until: Date.now() }))).toEqual([]);
});
