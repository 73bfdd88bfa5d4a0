// SPDX-License-Identifier: Apache-2.0
// Unmodified programs of several languages and C libraries, in one guest.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootGuest } from './boot.ts';
import { checksOf, complaintsIn } from './checks.ts';
import { buildLanguages, CHECKS, missingLanguages } from './languages/build.ts';

const missing = missingLanguages();
const languages = Object.entries(CHECKS).filter(([name]) => missing[name] === undefined);

let folder: string;
let guest: { vmlinux: string; initrd: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-languages-'));
  guest = await buildLanguages(folder, Object.keys(missing));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each([1, 2])('with %i processors', (cpus) => {
  let log: string;

  beforeAll(async () => {
    log = await bootGuest({ ...guest, cpus, memory: '512M', patience: 400_000 });
  });

  test.each(languages)('%s', (name, count) => {
    expect(checksOf(ownPart(log, name))).toMatchObject({ passed: count, failed: [] });
  });

  test.skip.each(Object.entries(missing))('%s (skipped: %s)', () => {});

  test('all went well, also for the kernel', () => {
    expect(checksOf(log)).toMatchObject({ failed: [], ended: true });
    expect(complaintsIn(log)).toEqual([]);
  });
});

/** What a program wrote: from the end of the one before to its own. */
function ownPart(log: string, name: string): string {
  const parts = log.split(/(?<= ends)\r?\n/);
  return parts.find((part) => part.endsWith(`ok ${name} ends`)) ?? '';
}
