// SPDX-License-Identifier: Apache-2.0
import { loadConfig, type RegistryConfig } from '../../registry/index.ts';
import { storeFolder } from '../store/folders.ts';

/** Options of the commands that work on a registry's storage. */
export interface RegistryFlags {
  listen?: string;
  storage?: string;
  workers?: string;
  logLevel?: string;
  config?: string;
  set?: [path: string, value: string][];
}

/** The registry's configuration as this command line, the environment and a file give it. */
export function registryConfig(flags: RegistryFlags): RegistryConfig {
  const { listen, storage, workers, logLevel, config, set = [] } = flags;
  const settings: [string, string][] = [];
  if (listen !== undefined) settings.push(['listen', listen]);
  if (workers !== undefined) settings.push(['workers', workers]);
  if (logLevel !== undefined) settings.push(['log.level', logLevel]);
  if (storage !== undefined) settings.push(...storageSettings(storage));
  return loadConfig({
    ...(config === undefined ? {} : { file: config }),
    environment: process.env,
    settings: [...settings, ...set],
    // Beside the store of images, not in it: a store holds nothing of others.
    defaultRoot: `${storeFolder()}-registry`,
  });
}

function storageSettings(where: string): [string, string][] {
  const bucket = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(where);
  if (bucket === null) {
    return [
      ['storage.driver', 'filesystem'],
      ['storage.root', where],
    ];
  }
  const [, name = '', prefix = ''] = bucket;
  return [
    ['storage.driver', 's3'],
    ['storage.bucket', name],
    ['storage.prefix', prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`],
  ];
}
