// SPDX-License-Identifier: Apache-2.0
// What `list-tree` prints, made comparable: times that no layer says, and what a guest writes itself, are left out.

/** The columns of a line. */
const PATH = 0;
const TYPE = 1;
const LINKS = 5;
const MTIME = 7;

/** The guest's own; it makes /etc, /run and /tmp too where the image has none. */
const FILES = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];
const FOLDERS = ['/etc', '/run', '/tmp'];

/** Stands for a value that is not compared. */
const ANY = '*';

function parse(text: string): string[][] {
  const lines = text.trimEnd().split('\n');
  return lines.map((line) => line.split(' ')).filter(([path = '']) => !FILES.includes(path));
}

/**
 * @param started seconds since 1970, before the layers were unpacked. Folders that are newer are described by no layer, or
 *   got such a folder: their times are not specified. umoci gives them the present, uk 1970 or what a layer says.
 */
export function referenceLines(text: string, started: number): string[] {
  return parse(text).map((columns) => {
    // The guest writes into these: their times and numbers of links are those of the layer above the image.
    const written = columns[PATH] === '/' || columns[PATH] === '/etc';
    const newer = columns[TYPE] === 'd' && Number(columns[MTIME]) >= started;
    return columns
      .map((value, column) => {
        const any = (written && column === LINKS) || ((written || newer) && column === MTIME);
        return any ? ANY : value;
      })
      .join(' ');
  });
}

/** @param reference lines of {@link referenceLines} for the same image */
export function guestLines(text: string, reference: readonly string[]): string[] {
  const wanted = new Map(reference.map((line) => line.split(' ')).map((columns) => [columns[PATH] ?? '', columns]));
  return parse(text)
    .filter(([path = '']) => wanted.has(path) || !FOLDERS.includes(path))
    .map((columns) => {
      const like = wanted.get(columns[PATH] ?? '');
      return columns.map((value, column) => (like?.[column] === ANY ? ANY : value)).join(' ');
    });
}

/** Lines that one of them has only, marked by `-` (wanted) and `+` (found). */
export function differences(wanted: readonly string[], found: readonly string[]): string[] {
  const [expected, seen] = [new Set(wanted), new Set(found)];
  return [
    ...wanted.filter((line) => !seen.has(line)).map((line) => `- ${line}`),
    ...found.filter((line) => !expected.has(line)).map((line) => `+ ${line}`),
  ].sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1));
}
