// SPDX-License-Identifier: Apache-2.0
// A container image with a shell, in a store of its own, and `uk run` of it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionConfig } from '../../image-format/index.ts';
import { openContentStore } from '../../image-format/layout/index.ts';
import { type TarEntry, tarOf } from '../../puller/root/testing.ts';
import { type RunOptions, runUk } from '../whole/command.ts';
import { writeImage } from './image.ts';

const REFERENCE = 'localhost:5000/shell:1';

/** Debian's busybox-static. */
const BUSYBOX = '/usr/bin/busybox';

const APPLETS = 'sh,chmod,ls,stat,cat,id,df,dd,touch,ln,mkdir,rm,mount,readlink,sleep,echo,head,wc,find,sync'.split(
  ',',
);

export interface ShellRan {
  status: number | null;
  /** Without the last line end. */
  stdout: string;
  /** Without what `uk run` says of the kernel. */
  stderr: string;
}

export class ShellImage {
  readonly store: string;
  /** Of the host, for `uk`. */
  readonly env: NodeJS.ProcessEnv;

  private constructor(folder: string) {
    this.store = join(folder, 'store');
    this.env = { UK_STORE: this.store };
  }

  /** @param entries more of them, in a layer over the shell's */
  static async create(folder: string, entries: readonly TarEntry[], config: ExecutionConfig = {}): Promise<ShellImage> {
    const image = new ShellImage(folder);
    const store = await openContentStore(image.store);
    const shell: TarEntry[] = [
      { path: 'bin/busybox', mode: 0o755, content: await readFile(BUSYBOX, 'latin1') },
      ...APPLETS.map((name) => ({ path: `bin/${name}`, typeflag: '2', target: 'busybox' })),
    ];
    const written = await writeImage(store, [tarOf(shell), tarOf(entries)], {
      config: { Entrypoint: ['/bin/sh', '-c'], Env: ['PATH=/bin'], ...config },
    });
    await store.tag(REFERENCE, written);
    return image;
  }

  /** The arguments of `uk` that run a script with options of `uk run`. */
  args(options: readonly string[], script: string): string[] {
    return ['run', '--pull', 'never', ...options, REFERENCE, script];
  }

  async run(options: readonly string[], script: string, how: RunOptions = {}): Promise<ShellRan> {
    const ran = await runUk(this.args(options, script), { ...how, env: { ...this.env, ...how.env } });
    const said = ran.stderr
      .toString()
      .split('\n')
      .filter((line) => !/^uk: (finding out once|the image has no kernel)/.test(line));
    return { status: ran.status, stdout: ran.stdout.toString().trimEnd(), stderr: said.join('\n').trimEnd() };
  }
}
