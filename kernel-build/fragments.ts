// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KernelError } from './errors.ts';

/** A symbol (`CONFIG_SMP`) and its value as `.config` writes it: `y`, `n`, a number, a string with its quotes. */
export type Settings = Map<string, string>;

export interface Fragment {
  readonly name: string;
  readonly text: string;
}

const SETTING = /^(CONFIG_[A-Za-z0-9_]+)=(y|n|-?\d+|0x[0-9A-Fa-f]+|"(?:[^"\\]|\\.)*")$/;
const NOT_SET = /^# (CONFIG_[A-Za-z0-9_]+) is not set$/;
/** Of a file in the folder of fragments, or in a folder there. */
const NAME = /^(?:[a-z]+\/)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

/**
 * Reads a fragment: lines as in `.config`, comments, empty lines. Unlike Kconfig, which skips what it does not
 * understand, this takes no line that looks like a setting and is none. There are no modules, so no `=m`.
 *
 * @throws KernelError `FRAGMENT_INVALID`
 * @see scripts/kconfig/confdata.c, `conf_read_simple`
 */
export function parseFragment({ name, text }: Fragment): Settings {
  const settings: Settings = new Map();
  for (const [index, line] of text.split('\n').entries()) {
    const setting = parseLine(line);
    if (setting === undefined) {
      throw new KernelError(
        'FRAGMENT_INVALID',
        `${name}.config, line ${index + 1}: not a setting: ${line.slice(0, 120)}`,
        {
          hint: 'write CONFIG_NAME=value, "# CONFIG_NAME is not set", or a comment',
        },
      );
    }
    if (setting !== 'nothing') settings.set(...setting);
  }
  return settings;
}

function parseLine(line: string): [string, string] | 'nothing' | undefined {
  const [, off] = NOT_SET.exec(line) ?? [];
  if (off !== undefined) return [off, 'n'];
  if (line.trim() === '' || (line.startsWith('#') && !line.startsWith('# CONFIG_'))) return 'nothing';
  const [, symbol, value] = SETTING.exec(line) ?? [];
  return symbol === undefined || value === undefined ? undefined : [symbol, value];
}

/** All settings of several fragments, later ones first. */
export function mergeFragments(fragments: readonly Fragment[]): Settings {
  return new Map(fragments.flatMap((fragment) => [...parseFragment(fragment)]));
}

/** The settings as a file that Kconfig reads (`KCONFIG_ALLCONFIG`). */
export function formatSettings(settings: Settings): string {
  return [...settings]
    .map(([symbol, value]) => (value === 'n' ? `# ${symbol} is not set\n` : `${symbol}=${value}\n`))
    .join('');
}

/**
 * Checks that Kconfig took every setting. It drops without a word what it does not know and what depends on something
 * that is off, and turns on what another symbol selects.
 *
 * @param config text of the `.config` that Kconfig made
 * @throws KernelError `CONFIG_NOT_TAKEN`, naming all of them
 */
export function verifyConfig(wanted: Settings, config: string): void {
  const is: Settings = new Map();
  for (const line of config.split('\n')) {
    const equals = line.startsWith('CONFIG_') ? line.indexOf('=') : -1;
    if (equals > 0) is.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const wrong = [...wanted].filter(([symbol, value]) => (is.get(symbol) ?? 'n') !== value);
  if (wrong.length === 0) return;
  const list = wrong.map(([symbol, value]) => `${symbol}=${value} (it is ${is.get(symbol) ?? 'n'})`).join(', ');
  throw new KernelError('CONFIG_NOT_TAKEN', `the kernel's configuration does not take ${list}`, {
    hint: 'the symbol is unknown in this kernel, or what it depends on is off, or another one selects it',
  });
}

/**
 * @param folder where the fragments are, as `NAME.config`
 * @throws KernelError `FRAGMENT_UNKNOWN`
 */
export async function readFragments(folder: string, names: readonly string[]): Promise<Fragment[]> {
  return Promise.all(names.map((name) => readFragment(folder, name)));
}

async function readFragment(folder: string, name: string): Promise<Fragment> {
  try {
    if (!NAME.test(name)) throw new Error('not a name');
    return { name, text: await readFile(join(folder, `${name}.config`), 'utf8') };
  } catch (cause) {
    const known = (await readdir(folder)).filter((file) => file.endsWith('.config')).map((file) => file.slice(0, -7));
    throw new KernelError('FRAGMENT_UNKNOWN', `unknown Kconfig fragment: ${JSON.stringify(name)}`, {
      cause,
      hint: `known fragments: ${known.sort().join(', ')}`,
    });
  }
}
