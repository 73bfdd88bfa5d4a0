// SPDX-License-Identifier: Apache-2.0
// Images of the test programs, and one call that boots a program and collects what it says.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { loadProfile } from '../../hardware-profiles/index.ts';
import { type AddedPath, buildImage } from '../../image-format/build/index.ts';
import type { Descriptor } from '../../image-format/index.ts';
import { type ContentStore, openContentStore } from '../../image-format/layout/index.ts';
import { kernelFor } from '../../kernel-build/index.ts';
import { assemble, type Bootable, type InstanceOptions, type Outcome, startInstance } from '../../puller/index.ts';

const PROGRAMS = join(import.meta.dirname, 'programs');

/** Static with musl, or dynamic with glibc: the image then has a loader and libraries. */
export type Libc = 'musl' | 'glibc';

export interface GuestImage extends AsyncDisposable {
  folder: string;
  store: ContentStore;
  descriptor: Descriptor;
  bootable: Bootable;
}

export interface GuestImageOptions {
  libc?: Libc;
  adds?: readonly AddedPath[];
  /** More of the same, made in the image's folder. */
  prepare?: (folder: string) => Promise<AddedPath[]>;
}

/** One image with all test programs in /programs; {@link runGuest} says which one runs. */
export async function buildGuestImage({
  libc = 'musl',
  adds = [],
  prepare,
}: GuestImageOptions = {}): Promise<GuestImage> {
  const folder = await mkdtemp(join(tmpdir(), 'uk-guest-'));
  const programs = await compilePrograms(folder, libc);
  const profile = await loadProfile();
  const [kernel, store] = await Promise.all([kernelFor(profile.kernel), openContentStore(join(folder, 'store'))]);
  const built = await buildImage(
    {
      app: join(folder, 'report'),
      adds: [
        ...programs.map((source) => ({ source, destination: `/programs/${basename(source)}` })),
        ...adds,
        ...((await prepare?.(folder)) ?? []),
      ],
      profile,
      kernel: { vmlinux: kernel.vmlinux, config: kernel.config, kernelJson: kernel.kernelJson },
    },
    store,
  );
  return {
    folder,
    store,
    descriptor: built.descriptor,
    bootable: await assemble(store, built.descriptor, { cacheDir: join(folder, 'cache') }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function compilePrograms(folder: string, libc: Libc): Promise<string[]> {
  const sources = (await readdir(PROGRAMS)).filter((name) => name.endsWith('.c'));
  return Promise.all(
    sources.map(async (source) => {
      const output = join(folder, basename(source, '.c'));
      const compiler = libc === 'musl' ? ['musl-gcc', '-static'] : ['gcc', '-pthread'];
      const [command = '', ...flags] = [
        ...compiler,
        '-O2',
        '-Wall',
        '-Wextra',
        '-Werror',
        join(PROGRAMS, source),
        '-o',
        output,
      ];
      await promisify(execFile)(command, flags);
      return output;
    }),
  );
}

export interface Ran {
  outcome: Outcome;
  stdout: Buffer;
  stderr: Buffer;
}

/** Boots one of the test programs (or, with a slash, any) and waits for its end. */
export async function runGuest(
  { bootable }: Pick<GuestImage, 'bootable'>,
  program: string,
  args: readonly string[] = [],
  options: Partial<InstanceOptions> = {},
): Promise<Ran> {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const instance = await startInstance(bootable, {
    entrypoint: [program.includes('/') ? program : `/programs/${program}`],
    args,
    stdout,
    stderr,
    ...options,
  });
  return { outcome: await instance.outcome, stdout: stdout.bytes, stderr: stderr.bytes };
}

/** Takes all that is written, and knows when a text has come. */
export class Collector extends Writable {
  #chunks: Buffer[] = [];
  #waiting: { text: string; resolve: () => void }[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) {
      const all = this.bytes.toString('latin1');
      for (const one of waiting) {
        if (all.includes(one.text)) one.resolve();
        else this.#waiting.push(one);
      }
    }
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }

  async seen(text: string): Promise<void> {
    if (this.text.includes(text)) return;
    return new Promise((resolve) => this.#waiting.push({ text, resolve }));
  }
}
