// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type RunOptions, root, runUk, type Server, uk } from './command.ts';

const UP = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
const DOWN = Buffer.from(Array.from({ length: 100_000 }, (_, index) => 255 - (index % 256)));

const COMPILERS = {
  'static musl': ['musl-gcc', '-static'],
  'dynamic glibc': ['gcc', '-pthread'],
} as const;

export interface Surroundings {
  folder: string;
  registry: Server;
  /** Which `uk` to run, and how. */
  options: RunOptions;
}

/** The program that asks for everything: built, pushed, pulled by a second, empty store, and run. */
export function everythingWorks(surroundings: () => Surroundings): void {
  describe.each(Object.entries(COMPILERS))('a program linked as %s', (kind, [compiler, ...flags]) => {
    const name = kind.replace(' ', '-');
    const reference = () => `${surroundings().registry.host}/everything/${name}:1`;
    const withStore = (store: string): RunOptions => {
      const { folder, options } = surroundings();
      return { ...options, env: { ...options.env, UK_STORE: join(folder, `${store}-${name}`) } };
    };

    beforeAll(async () => {
      const program = join(surroundings().folder, `everything-${name}`);
      execFileSync(compiler, [...flags, '-O2', join(root, 'test/programs/everything.c'), '-o', program]);
      await uk(['build', '-t', reference(), '--app', program], withStore('builder'));
      await uk(['push', reference()], withStore('builder'));
      await uk(['pull', reference()], withStore('node'));
    });

    test.each([1, 2])('runs with %i processors: every byte of its output, and its status', async (cpus) => {
      const ran = await runUk(['run', '--cpus', String(cpus), reference()], withStore('node'));
      expect(ran.stderr.equals(DOWN), ran.stderr.toString('latin1').slice(0, 2000)).toBe(true);
      const line = `cpl=0 cpus=${cpus}\n`;
      expect(ran.stdout.subarray(0, line.length).toString()).toBe(line);
      expect(ran.stdout.subarray(line.length).equals(UP)).toBe(true);
      expect(ran.status).toBe(42);
    });
  });
}
