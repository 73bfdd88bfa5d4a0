// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { logFile } from './log-files.ts';
import { readLog } from './log-reader.ts';
import { cutLines, decodeRecord, encodeRecord, LINE_MAX } from './log-record.ts';
import { LogWriter } from './log-writer.ts';

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'uk-logs-')), 'logs');
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

async function all(options: Parameters<typeof readLog>[2] = {}): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const { stream, bytes } of readLog(folder, 'program', options)) found.push([stream, bytes.toString()]);
  return found;
}

test('any bytes, cut anywhere, come back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5_000 }), (array) => {
      const bytes = Buffer.concat(Array(20).fill(Buffer.from(array)));
      const { lines, rest } = cutLines(bytes);
      const decoded = [...lines, rest].map((part) => {
        const line = encodeRecord({ time: '2030-01-01T00:00:00Z', stream: 'stdout', bytes: part });
        expect(line.indexOf('\n')).toBe(line.length - 1);
        return decodeRecord(line)?.bytes ?? Buffer.alloc(0);
      });
      expect(Buffer.concat(decoded).equals(bytes)).toBe(true);
      expect(Math.max(...decoded.map(({ length }) => length))).toBeLessThanOrEqual(LINE_MAX);
    }),
  );
});

test('streams in their order, parts of lines after a moment', async () => {
  const log = new LogWriter(folder, 'program');
  const [out, err] = [log.sink('stdout'), log.sink('stderr')];
  out.write('one\ntw');
  err.write('wrong\n');
  await delay(400);
  out.end('o\nend');
  await new Promise((resolve) => out.on('finish', resolve));
  await log.close();
  expect(await all()).toEqual([
    ['stdout', 'one\n'],
    ['stderr', 'wrong\n'],
    ['stdout', 'tw'],
    ['stdout', 'o\n'],
    ['stdout', 'end'],
  ]);
  expect(JSON.parse((await readFile(logFile(folder, 'program', 1), 'utf8')).split('\n')[0] ?? '')).toMatchObject({
    ...{ log: 'one\n', stream: 'stdout' },
  });
});

test('tail counts lines, since and until look at times', async () => {
  const log = new LogWriter(folder, 'program');
  const line = (second: number, text: string) => ({
    ...{ time: `2030-01-01T00:00:0${second}.000Z`, stream: 'stdout' as const, bytes: Buffer.from(text) },
  });
  await log.write([line(1, 'a\n'), line(2, 'b'), line(3, 'b\n'), line(4, 'c\n')]);
  await log.close();
  expect((await all({ tail: 2 })).map(([, text]) => text)).toEqual(['b', 'b\n', 'c\n']);
  expect(await all({ tail: 0 })).toEqual([]);
  expect(await all({ since: Date.parse('2030-01-01T00:00:04Z') })).toEqual([['stdout', 'c\n']]);
  expect(await all({ until: Date.parse('2030-01-01T00:00:01Z') })).toEqual([['stdout', 'a\n']]);
});

test('a follower loses nothing while files are rotated, and ends with the program', async () => {
  const log = new LogWriter(folder, 'program', { size: 2_000, files: 100 });
  let running = true;
  const followed = all({ goesOn: async () => running });
  for (let at = 0; at < 300; at++) {
    await log.write([{ time: new Date().toISOString(), stream: 'stdout', bytes: Buffer.from(`line ${at}\n`) }]);
    if (at % 50 === 0) await delay(20);
  }
  running = false;
  expect((await followed).map(([, text]) => text)).toEqual(Array.from({ length: 300 }, (_, at) => `line ${at}\n`));
  await log.close();
});

test('only so many files are kept; a new writer begins a new one', async () => {
  for (let at = 0; at < 5; at++) {
    const log = new LogWriter(folder, 'program', { size: 100, files: 3 });
    await log.note(`writer ${at}`);
    await log.close();
  }
  expect(await readdir(folder)).toEqual(['program.000003.json', 'program.000004.json', 'program.000005.json']);
});

test('a log that cannot be written loses lines, says so, and stops nobody', async () => {
  await writeFile(folder, 'in the way');
  const log = new LogWriter(folder, 'program');
  await log.note('lost');
  await rm(folder);
  await log.note('kept');
  await log.close();
  expect((await all()).map(([, text]) => text)).toEqual([expect.stringMatching(/^\[uk: 1 lines could not/), 'kept\n']);
});

test('lines that were cut or that are no records are passed over', async () => {
  const log = new LogWriter(folder, 'program');
  await log.note('good');
  await log.close();
  const file = logFile(folder, 'program', 1);
  await writeFile(file, `nonsense\n{"log":\n${await readFile(file, 'utf8')}{"log":"cut`);
  expect((await all()).map(([, text]) => text)).toEqual(['good\n']);
});
