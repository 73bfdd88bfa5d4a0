// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { RegistryError } from '../errors.ts';
import { loadConfig } from './load.ts';
import { printable, printConfig } from './print.ts';
import { SETTINGS } from './settings.ts';

const SECRET = 'a-secret-key';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'uk-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, 'registry.yaml');
  await writeFile(path, text);
  return path;
}

describe('the configuration', () => {
  test('has a default for everything but where to keep images', () => {
    const { storage, log, uploads } = loadConfig({ defaultRoot: '/images' });
    expect(storage).toEqual({ driver: 'filesystem', root: '/images' });
    expect([log.level, uploads.idle]).toEqual(['info', 7 * 24 * 60 * 60 * 1000]);
    expect(() => loadConfig({})).toThrow(/storage.root/);
  });

  test('is what the command line says, else the environment, else the file', async () => {
    const path = await file('listen: 127.0.0.1:1\nworkers: 3\nuploads: { idle: 1h }\nstorage: { root: /from/file }\n');
    const environment = { UK_REGISTRY_LISTEN: '127.0.0.1:2', UK_REGISTRY_WORKERS: '4', UK_REGISTRY_SERVICE_HOST: 'x' };
    const config = loadConfig({ file: path, environment, settings: [['listen', '127.0.0.1:3']] });
    expect([config.listen, config.workers, config.uploads.idle]).toEqual(['127.0.0.1:3', 4, 3_600_000]);
    expect(config.storage).toEqual({ driver: 'filesystem', root: '/from/file' });
  });

  test('takes every setting from the environment and the command line', () => {
    expect(SETTINGS.map(({ variable }) => variable)).toEqual(
      expect.arrayContaining(['UK_REGISTRY_STORAGE_ACCESS_KEY_ID', 'UK_REGISTRY_TLS_KEY', 'UK_REGISTRY_LOG_REQUESTS']),
    );
    expect(SETTINGS.filter(({ description }) => description === '')).toEqual([]);
    const values: Record<string, string> = { workers: '7', metrics: 'off', 'cache.blobs': '1M', 'tls.key': 'k.pem' };
    const environment = Object.fromEntries(
      SETTINGS.flatMap(({ path, variable }) => (values[path] === undefined ? [] : [[variable, values[path]]])),
    );
    const config = loadConfig({ defaultRoot: '/x', environment, settings: [['tls.certificate', 'c.pem']] });
    expect([config.workers, config.metrics, config.cache.blobs]).toEqual([7, false, 2 ** 20]);
    expect(config.tls).toEqual({ certificate: 'c.pem', key: 'k.pem' });
  });

  test.each([
    ['listen', 'nowhere', /HOST:PORT/],
    ['workers', '0', /workers/],
    ['workers', 'many', /workers/],
    ['uploads.idle', 'a while', /not a time/],
    ['cache.blobs', 'much', /not an amount/],
    ['metrics', 'perhaps', /true or false/],
    ['log.level', 'loud', /log.level/],
    ['storage.driver', 'tape', /storage.driver/],
    ['tls.key', 'k.pem', /tls.certificate/],
    ['cache.blobs', '12 apples', /not an amount/],
    ['cache.blobs', '64Mega', /not an amount/],
    ['listen', '127.0.0.1:99999', /65535/],
    ['collection.every', '30d', /collection.every.*24d/],
    ['connections.grace', '9999h', /connections.grace.*24d/],
    ['connections.drain', '25d', /connections.drain.*24d/],
    ['connections.idle', '25d', /connections.idle.*24d/],
    ['connections.idle', '0', /connections.idle/],
    ['storage.rot', '/x', /no setting "storage.rot".*|the settings are/],
  ])('%s=%s is refused with the reason', (path, value, reason) => {
    expect(() => loadConfig({ defaultRoot: '/x', settings: [[path, value]] })).toThrow(reason);
  });

  test.each([
    ['storge: { root: /x }', /storge/],
    ['- a\n- b', /not a list of settings/],
    ['listen: [', /cannot read/],
    ['__proto__: { polluted: yes }', /__proto__/],
    ['log: { __proto__: { level: debug } }', /__proto__/],
    ['constructor: { prototype: { polluted: yes } }', /constructor/],
  ])('a file with %j is refused with the reason', async (text, reason) => {
    const path = await file(text);
    expect(() => loadConfig({ file: path, defaultRoot: '/x' })).toThrow(reason);
    expect({}).not.toHaveProperty('polluted');
    expect(() => loadConfig({ file: join(folder, 'missing'), defaultRoot: '/x' })).toThrow(/missing/);
  });

  test('that is printed is a file with the same meaning, but for its secrets', async () => {
    const settings: [string, string][] = [
      ['storage.driver', 's3'],
      ['storage.bucket', 'b'],
      ['storage.accessKeyId', SECRET],
      ['storage.secretAccessKey', SECRET],
      ['uploads.idle', '12h'],
    ];
    const config = loadConfig({ settings });
    const text = printConfig(config);
    expect(text).not.toContain(SECRET);
    expect(JSON.stringify(printable(config))).not.toContain(SECRET);
    expect(text).toContain('UK_REGISTRY_UPLOADS_IDLE');
    expect(parse(text)).toEqual(printable(config));
    const again = loadConfig({ file: await file(text), settings: settings.slice(2, 4) });
    expect(again).toEqual(config);
  });

  test.each([
    ['0', 0],
    ['1000', 1000],
    ['64M', 64 * 2 ** 20],
    ['64 MiB', 64 * 2 ** 20],
    ['1.5GB', 1.5 * 2 ** 30],
    ['12b', 12],
    ['2t', 2 * 2 ** 40],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(loadConfig({ defaultRoot: '/x', settings: [['cache.blobs', text]] }).cache.blobs).toBe(bytes);
  });

  test('never fails but with a reason, whatever is set', () => {
    const path = fc.constantFrom(...SETTINGS.map((setting) => setting.path));
    fc.assert(
      fc.property(fc.array(fc.tuple(path, fc.string()), { maxLength: 4 }), (settings) => {
        try {
          loadConfig({ defaultRoot: '/x', settings });
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError);
          expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
        }
      }),
    );
  });
});
