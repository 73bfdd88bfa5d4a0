// SPDX-License-Identifier: Apache-2.0
// The kernel as a layer of an image, and what of it is how large.
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompressSync } from 'node:zlib';
import { uk } from '../../whole/command.ts';
import { type Bench, figure, type Section } from './section.ts';

const run = promisify(execFile);
const GOAL = 2_000_000;
/** Sections smaller than this are summed up. */
const SMALL = 100_000;

export async function size({ kernels, folder, say }: Bench): Promise<Section> {
  const { stock, built } = kernels;
  say('size: the kernel layer');
  const layer = await kernelLayer(folder);
  const bytes = await readFile(built.vmlinux);
  const sections = await sectionsOf(built.vmlinux);
  const rows = sections
    .filter((section) => section.size >= SMALL)
    .map(({ name, offset, size }) => {
      say(`size: ${name}`);
      return [name, figure(size), figure(packed(bytes.subarray(offset, offset + size)))];
    });
  const rest = Buffer.concat(
    sections.filter((one) => one.size < SMALL).map(({ offset, size }) => bytes.subarray(offset, offset + size)),
  );
  const subsystems = await subsystemsOf(built.debug);
  return {
    title: 'Sizes',
    how: 'The kernel layer is what `uk build` makes, zstd at level 19. Sections are compressed one by one.',
    tables: [
      {
        head: ['', 'bytes'],
        rows: [
          ['the kernel layer of an image', figure(layer)],
          ['`vmlinux`, stripped', figure(bytes.length)],
          ...(stock === undefined
            ? []
            : [[`stock, ${stock.version}, \`vmlinuz\``, figure((await stat(stock.path)).size)]]),
        ],
      },
      {
        head: ['section', 'bytes', 'zstd -19'],
        rows: [...rows, ['all others', figure(rest.length), figure(packed(rest))]],
      },
      { head: ['largest functions and tables', 'bytes'], rows: subsystems },
    ],
    notes: [],
    goals: [{ what: 'the kernel layer', wanted: GOAL, got: layer, unit: 'bytes' }],
  };
}

async function kernelLayer(folder: string): Promise<number> {
  const env = { UK_STORE: join(folder, 'store') };
  // The program of the first part, or of this one.
  const program = join(folder, 'size-hello');
  await run('musl-gcc', ['-static', '-O2', '-o', program, join(import.meta.dirname, '../../programs/hello.c')]);
  await uk(['build', '-t', 'hello:1', '--app', program], { env });
  const { layers } = JSON.parse(await uk(['inspect', '--json', 'hello:1'], { env })) as {
    layers: { role: string; size: number }[];
  };
  return layers.find(({ role }) => role === 'kernel')?.size ?? Number.NaN;
}

const packed = (bytes: Buffer): number =>
  zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 19 } }).length;

/** All sections with bytes in the file. */
async function sectionsOf(path: string): Promise<{ name: string; offset: number; size: number }[]> {
  const { stdout } = await run('readelf', ['-SW', path]);
  const rows = stdout.matchAll(/^ +\[ *\d+\] (\S+) +(\S+) +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+)/gm);
  return [...rows]
    .filter(([, , type]) => type !== 'NOBITS' && type !== 'NULL')
    .map(([, name = '', , offset = '', length = '']) => ({
      name,
      offset: Number.parseInt(offset, 16),
      size: Number.parseInt(length, 16),
    }));
}

async function subsystemsOf(debug: string): Promise<string[][]> {
  const { stdout } = await run('nm', ['--size-sort', '-r', '-S', debug], { maxBuffer: 1 << 26 });
  return stdout
    .split('\n')
    .map((line) => line.split(/ +/))
    .filter(([, , type]) => type !== undefined && /[tTrRdD]/.test(type))
    .slice(0, 12)
    .map(([, length = '0', , name = '']) => [`\`${name}\``, figure(Number.parseInt(length, 16))]);
}
