// SPDX-License-Identifier: Apache-2.0
// The system's package sources, asked for source packages instead of binary ones. All that apt writes stands in a folder
// of ours; what it trusts is what the system trusts.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const APT = '/etc/apt';

/**
 * An apt configuration that knows the sources of the system's packages, and writes nothing outside `folder`.
 *
 * @returns its path, for `apt-get -c`
 */
export async function writeAptConfig(folder: string, apt = APT): Promise<string> {
  const parts = join(folder, 'sources.list.d');
  for (const name of [parts, join(folder, 'lists', 'partial'), join(folder, 'cache', 'archives', 'partial')]) {
    await mkdir(name, { recursive: true });
  }
  for (const { name, text } of await systemSources(apt)) await writeFile(join(parts, name), text);
  const config = join(folder, 'apt.conf');
  const settings = [
    // Commands of the system's that clean up behind an update clean the system's folders.
    '#clear APT::Update;',
    `Dir::State::lists ${quote(join(folder, 'lists'))};`,
    `Dir::Cache ${quote(join(folder, 'cache'))};`,
    'Dir::Etc::sourcelist "/dev/null";',
    `Dir::Etc::sourceparts ${quote(parts)};`,
  ];
  await writeFile(config, `${settings.join('\n')}\n`);
  return config;
}

async function systemSources(apt: string): Promise<{ name: string; text: string }[]> {
  const parts = await readdir(join(apt, 'sources.list.d')).catch(() => []);
  const files = ['sources.list', ...parts.map((name) => join('sources.list.d', name))];
  const found: { name: string; text: string }[] = [];
  for (const file of files.filter((name) => /\.(?:list|sources)$/.test(name))) {
    const text = await readFile(join(apt, file), 'utf8').catch(() => '');
    if (text === '') continue;
    // `sources.list` is one of the parts here, under a name that none of them has.
    const name = file === 'sources.list' ? '0-main.list' : file.slice('sources.list.d/'.length);
    found.push({ name, text: file.endsWith('.sources') ? stanzasOfSources(text) : linesOfSources(text) });
  }
  return found;
}

/** `deb URI SUITE COMPONENT…`, one a line. @see sources.list(5), "ONE-LINE-STYLE FORMAT" */
export function linesOfSources(text: string): string {
  return text
    .split('\n')
    .filter((line) => /^\s*deb\s/.test(line))
    .map((line) => `${line.replace(/^\s*deb\s/, 'deb-src ')}\n`)
    .join('');
}

/** Stanzas of fields. @see sources.list(5), "DEB822-STYLE FORMAT" */
export function stanzasOfSources(text: string): string {
  return text.replace(/^Types:.*\bdeb\b(?!-).*$/gim, 'Types: deb-src');
}

function quote(path: string): string {
  return `"${path.replaceAll('"', '')}"`;
}
