// SPDX-License-Identifier: Apache-2.0
// A container image with a shell, in a store of its own, and `uk run` of it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor } from '../../image-format/index.ts';
import { type ContentStore, openContentStore } from '../../image-format/layout/index.ts';
import { tarOf } from '../../puller/root/testing.ts';
import { type RunOptions, runUk } from '../whole/command.ts';
import { type ImageChoice, type PlainLayer, writeImage } from './image.ts';

const REFERENCE = 'localhost:5000/shell:1';

/** Debian's busybox-static. */
const BUSYBOX = '/usr/bin/busybox';

const APPLETS = 'sh,chmod,ls,stat,cat,id,df,dd,touch,ln,mkdir,rm,mount,readlink,sleep,echo,head,wc,find,sync'.split(
  ',',
);

export async function shellLayer(): Promise<PlainLayer> {
  return tarOf([
    { path: 'bin/busybox', mode: 0o755, content: await readFile(BUSYBOX, 'latin1') },
    ...APPLETS.map((name) => ({ path: `bin/${name}`, typeflag: '2', target: 'busybox' })),
  ]);
}

export interface ShellRan {
  status: number | null;
  /** Without the last line end. */
  stdout: string;
  stderr: string;
}

export class ShellImage {
  readonly store: ContentStore;
  /** Of the host, for `uk`. */
  readonly env: NodeJS.ProcessEnv;

  private constructor(store: ContentStore, env: NodeJS.ProcessEnv) {
    this.store = store;
    this.env = { ...env, UK_STORE: store.root };
  }

  /** @param folder the store is made in it. The image is still to be made, see `put`. */
  static async create(folder: string, env: NodeJS.ProcessEnv = {}): Promise<ShellImage> {
    return new ShellImage(await openContentStore(join(folder, 'store')), env);
  }

  /** Makes the image of these layers over the shell's, in the place of the one before. */
  async put(layers: readonly PlainLayer[], { config, ...choice }: ImageChoice = {}): Promise<Descriptor> {
    const written = await writeImage(this.store, [await shellLayer(), ...layers], {
      ...choice,
      config: { Entrypoint: ['/bin/sh', '-c'], Env: ['PATH=/bin'], ...config },
    });
    await this.tag(written);
    return written;
  }

  async tag(descriptor: Descriptor): Promise<void> {
    await this.store.tag(REFERENCE, descriptor);
  }

  /** The arguments of `uk`, which makes no remarks, that run a script with options of `uk run`. */
  args(options: readonly string[], script: string): string[] {
    return ['--quiet', 'run', '--pull', 'never', ...options, REFERENCE, script];
  }

  async run(options: readonly string[], script: string, how: RunOptions = {}): Promise<ShellRan> {
    const ran = await runUk(this.args(options, script), { ...how, env: { ...this.env, ...how.env } });
    return { status: ran.status, stdout: ran.stdout.toString().trimEnd(), stderr: ran.stderr.toString().trimEnd() };
  }
}
