// SPDX-License-Identifier: Apache-2.0
// The images that are measured: a Debian with 850 MB of data, and hello, both with the kernel of the preset general.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianBase } from '../../root/images/debian-base.ts';
import { root, uk } from '../../whole/command.ts';

const MEBIBYTE = 2 ** 20;
/** With those of the base and of the others 20,000. */
const SMALL_FILES = 11_000;
const SMALL_SIZE = 16 * 1024;

export interface Images {
  env: NodeJS.ProcessEnv;
  store: string;
  big: string;
  /** The big one with another app layer. */
  updated: string;
  hello: string;
  /** Of the container image that the big one is made on, as skopeo names it. */
  base: string;
  /** The same with gzip, which every tool reads. */
  plain: string;
  /** Folder of the data, as it lies in the image below /srv/data. */
  data: string;
  /** Folder with `reads`. */
  tools: string;
}

export async function makeImages(folder: string, say: (text: string) => void): Promise<Images> {
  const store = join(folder, 'store');
  const env = { UK_STORE: store };
  const [tools, data] = [join(folder, 'tools'), join(folder, 'data')];
  mkdirSync(tools);
  const compile = (source: string, name: string): unknown =>
    execFileSync('musl-gcc', ['-static', '-O2', source, '-o', join(tools, name)]);
  compile(join(root, 'test/programs/hello.c'), 'hello');
  compile(join(import.meta.dirname, 'programs/reads.c'), 'reads');
  say('data');
  writeData(data);
  say('the base');
  const layout = await debianBase();
  const base = `oci:${join(folder, 'base')}:base`;
  const format = ['--dest-compress', '--dest-compress-format', 'zstd'];
  execFileSync('skopeo', ['copy', '--quiet', ...format, `oci:${layout}`, base]);
  say('the images');
  const build = (name: string, ...args: string[]): Promise<string> => uk(['build', '-t', name, ...args], { env });
  const kernel = ['--preset', 'general'];
  await build('hello:1', '--app', join(tools, 'hello'), ...kernel, '--root', 'initramfs');
  for (const version of ['1', '2']) {
    writeFileSync(join(tools, 'version'), version);
    const adds = ['--add', `${data}:/srv/data:deps`, '--add', `${join(tools, 'hello')}:/srv/hello`];
    adds.push('--add', `${join(tools, 'version')}:/srv/version`);
    await build(`big:${version}`, '--from-image', base, ...kernel, ...adds);
  }
  return { env, store, big: 'big:1', updated: 'big:2', hello: 'hello:1', base, plain: `oci:${layout}`, data, tools };
}

/** 256 MiB to be read through, 11,000 small files, and 400 MiB of others: random bytes and text, half of each. */
function writeData(data: string): void {
  const large = (name: string, count: number): void => {
    mkdirSync(join(data, name), { recursive: true });
    for (let i = 0; i < count; i++) writeFileSync(join(data, name, String(i)), content(`${name} ${i}`, 4 * MEBIBYTE));
  };
  large('seq', 64);
  large('other', 100);
  for (let i = 0; i < SMALL_FILES; i++) {
    const folder = join(data, 'small', String(Math.floor(i / 200)));
    if (i % 200 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, String(i)), content(`small ${i}`, SMALL_SIZE));
  }
}

/** The same bytes for the same name: half of them cannot be compressed. */
function content(name: string, size: number): Buffer {
  const random = createHash('shake256', { outputLength: size / 2 })
    .update(name)
    .digest();
  const text = Buffer.alloc(size / 2, `${name} is a line of a file that is easily compressed\n`);
  return Buffer.concat([random, text]);
}
