// SPDX-License-Identifier: Apache-2.0
import { allFiles, type FileRow } from '../../../registry/browse/offline.ts';
import type { Session } from '../context.ts';
import { CliError } from '../errors.ts';
import { openImage, type SourceFlags } from '../image-source.ts';
import { readStacks } from '../layer-files.ts';
import { printable } from '../output/printable.ts';
import { formatTable } from '../output/table.ts';

export interface FileFlags extends SourceFlags {
  layer?: number;
  path?: string;
  search?: string;
}

/** Lists the files of an image, of the store or of any registry. */
export async function listFiles(session: Session, image: string, flags: FileFlags): Promise<undefined> {
  const source = await openImage(session, image, flags);
  try {
    const [stack] = await readStacks(session, [source]);
    const root = flags.layer === undefined ? stack?.root : stack?.layer(flags.layer);
    if (root === undefined) {
      const count = source.manifest.layers.length;
      throw new CliError('USAGE', `${source.name} has no layer ${flags.layer}`, { hint: `it has ${count}, from 0 on` });
    }
    const files = allFiles(root, flags.path ?? '', flags.search);
    if (files === undefined) throw new CliError('USAGE', `${source.name} has no ${printable(flags.path ?? '')}`);
    session.output.result({ name: source.name, digest: source.digest, files }, () =>
      formatTable(HEADER, files.map(row)),
    );
    return undefined;
  } finally {
    await source.close();
  }
}

const HEADER = ['MODE', 'OWNER', 'SIZE', 'LAYER', 'CHANGE', 'PATH'];

function row(file: FileRow): string[] {
  const { type, mode, uid, gid, size, layer, change, path, target, device } = file;
  const link = target === undefined ? '' : type === 'symlink' ? ` -> ${target}` : ` = ${target}`;
  return [
    modeText(type, mode),
    uid === undefined ? '-' : `${uid}:${gid}`,
    device ?? String(size),
    String(layer),
    change ?? '-',
    printable(`${path}${type === 'directory' ? '/' : ''}${link}`),
  ];
}

const LETTERS: Readonly<Record<FileRow['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
  character: 'c',
  block: 'b',
  fifo: 'p',
  removed: 'x',
};

/** `-rwxr-xr-x`, as ls(1) prints it. */
function modeText(type: FileRow['type'], mode: number | undefined): string {
  if (mode === undefined) return `${LETTERS[type]}---------`;
  const bits = 'rwxrwxrwx'.split('').map((letter, at) => ((mode >> (8 - at)) & 1 ? letter : '-'));
  for (const [at, bit, letter] of [
    [2, 0o4000, 's'],
    [5, 0o2000, 's'],
    [8, 0o1000, 't'],
  ] as const) {
    if (mode & bit) bits[at] = bits[at] === '-' ? letter.toUpperCase() : letter;
  }
  return LETTERS[type] + bits.join('');
}
