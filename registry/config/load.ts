// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import type * as z from 'zod';
import { RegistryError } from '../errors.ts';
import { configSchema, type RegistryConfig } from './schema.ts';
import { fromText, SETTINGS } from './settings.ts';
import { find, isTree, place, type Tree } from './tree.ts';

export interface ConfigSources {
  /** A YAML or JSON file. */
  file?: string;
  /** `UK_REGISTRY_…` variables; others are nobody's here. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** By path, as text: `['storage.root', './images']`. The last one of a path wins. */
  settings?: readonly (readonly [path: string, value: string])[];
  /** The folder of the filesystem driver, which is the default, where none of the others names one. */
  defaultRoot?: string;
}

/**
 * The configuration: what is set on the command line, else in the environment, else in the file, else the defaults.
 *
 * @throws RegistryError `CONFIG_INVALID`
 */
export function loadConfig({ file, environment = {}, settings = [], defaultRoot }: ConfigSources): RegistryConfig {
  const tree = file === undefined ? {} : readTree(file);
  for (const setting of SETTINGS) {
    const text = environment[setting.variable];
    if (text !== undefined && text !== '') place(tree, setting.path, fromText(setting, text));
  }
  for (const [path, text] of settings) {
    const setting = SETTINGS.find((known) => known.path === path);
    if (setting === undefined) throw unknownSetting(path);
    place(tree, path, fromText(setting, text));
  }
  if (find(tree, 'storage.driver') === undefined) place(tree, 'storage.driver', 'filesystem');
  const rootless = find(tree, 'storage.driver') === 'filesystem' && find(tree, 'storage.root') === undefined;
  if (rootless && defaultRoot !== undefined) place(tree, 'storage.root', defaultRoot);
  const read = configSchema.safeParse(tree);
  if (read.success) return consistent(read.data);
  throw new RegistryError(
    'CONFIG_INVALID',
    `the configuration${file === undefined ? '' : ` of ${file}`} is wrong: ${explain(read.error)}`,
    {
      hint: 'uk registry serve --print-config shows all settings',
    },
  );
}

/** Without conditional writes only one process can keep its writers apart. */
function consistent(config: RegistryConfig): RegistryConfig {
  const { storage } = config;
  return storage.driver === 's3' && storage.exclusive ? { ...config, workers: 1 } : config;
}

function readTree(file: string): Tree {
  let value: unknown;
  try {
    value = parseYaml(readFileSync(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    throw new RegistryError('CONFIG_INVALID', `cannot read the configuration ${file}: ${reason}`, { cause });
  }
  if (value === null || value === undefined) return {};
  if (isTree(value)) return value;
  throw new RegistryError(
    'CONFIG_INVALID',
    `the configuration ${file} is not a list of settings; write each as NAME: VALUE`,
  );
}

function explain(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}

function unknownSetting(path: string): RegistryError {
  return new RegistryError('CONFIG_INVALID', `there is no setting ${JSON.stringify(path.slice(0, 80))}`, {
    hint: `the settings are ${SETTINGS.map(({ path: known }) => known).join(', ')}`,
  });
}
