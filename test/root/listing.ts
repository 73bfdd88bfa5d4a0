// SPDX-License-Identifier: Apache-2.0
// What `list-tree` prints, made comparable: times that no layer says, and what a guest writes itself, are left out.

/** A path, and the columns behind it, of which the type is the first. */
interface Line {
  path: string;
  type: string;
  attributes: string[];
}

const LINKS = 4;
const MTIME = 6;

/** The guest's own; it makes /etc, /run and /tmp too where the image has none. */
const FILES = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];
const FOLDERS = ['/etc', '/run', '/tmp'];

function parse(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [path = '', type = '', ...rest] = line.split(' ');
      return { path, type, attributes: [type, ...rest] };
    });
}

function format({ path, attributes }: Line): string {
  return [path, ...attributes].join(' ');
}

/** Folders that the guest writes to: their times and numbers of links are those of the layer above the image. */
function blurred(line: Line): Line {
  if (line.path !== '/' && line.path !== '/etc') return line;
  const attributes = line.attributes.map((value, index) => (index === LINKS || index === MTIME ? '*' : value));
  return { ...line, attributes };
}

/**
 * @param started seconds since 1970, before the layers were unpacked: folders that are newer are those that no layer
 *   describes. Which time they have is not specified; uk gives them 1970.
 */
export function referenceLines(text: string, started: number): string[] {
  const lines = parse(text).filter(({ path }) => !FILES.includes(path));
  return lines.map((line) => {
    const implied = line.type === 'd' && Number(line.attributes[MTIME]) >= started;
    const attributes = line.attributes.map((value, index) => (implied && index === MTIME ? '0' : value));
    return format(blurred({ ...line, attributes }));
  });
}

/** @param reference lines of {@link referenceLines} for the same image */
export function guestLines(text: string, reference: readonly string[]): string[] {
  const wanted = new Set(reference.map((line) => line.slice(0, line.indexOf(' '))));
  return parse(text)
    .filter(({ path }) => !FILES.includes(path) && (wanted.has(path) || !FOLDERS.includes(path)))
    .map((line) => format(blurred(line)));
}

/** Lines that one of them has only, marked by `-` (wanted) and `+` (found). */
export function differences(wanted: readonly string[], found: readonly string[]): string[] {
  const [expected, seen] = [new Set(wanted), new Set(found)];
  return [
    ...wanted.filter((line) => !seen.has(line)).map((line) => `- ${line}`),
    ...found.filter((line) => !expected.has(line)).map((line) => `+ ${line}`),
  ].sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1));
}
