// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findLogin } from './credentials.ts';
import { removeLogin, saveLogin } from './login-files.ts';

let home: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'uk-login-'));
  env = { HOME: home, PATH: `${join(home, 'bin')}:${process.env.PATH}` };
});
afterEach(async () => await rm(home, { recursive: true }));

async function put(path: string, content: unknown): Promise<string> {
  const file = join(home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}
const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
const find = (registry = 'r.example:5000') => findLogin(registry, env);

describe('findLogin', () => {
  test('nobody logged in', async () => {
    expect(await find()).toBeUndefined();
  });

  test("docker's file; a password may have colons", async () => {
    await put('.docker/config.json', { auths: { 'r.example:5000': auth('me:a:b') } });
    expect(await find()).toEqual({ username: 'me', password: 'a:b' });
    expect(await find('other.example')).toBeUndefined();
  });

  test.each(['https://r.example:5000', 'https://r.example:5000/v2/', 'r.example:5000/', 'http://r.example:5000'])(
    'under %s',
    async (key) => {
      await put('.docker/config.json', { auths: { [key]: auth('me:x') } });
      expect(await find()).toEqual({ username: 'me', password: 'x' });
    },
  );

  test('Docker Hub goes by its old name', async () => {
    await put('.docker/config.json', { auths: { 'https://index.docker.io/v1/': auth('me:x') } });
    expect(await find('docker.io')).toEqual({ username: 'me', password: 'x' });
  });

  test("podman's file comes before docker's, REGISTRY_AUTH_FILE before both", async () => {
    await put('.docker/config.json', { auths: { 'r.example:5000': auth('docker:x') } });
    await put('.config/containers/auth.json', { auths: { 'r.example:5000': auth('podman:x') } });
    expect(await find()).toEqual({ username: 'podman', password: 'x' });
    env.REGISTRY_AUTH_FILE = await put('mine.json', { auths: { 'r.example:5000': auth('mine:x') } });
    expect(await find()).toEqual({ username: 'mine', password: 'x' });
    env.DOCKER_CONFIG = join(home, 'elsewhere');
    env.REGISTRY_AUTH_FILE = join(home, 'none.json');
    expect(await find()).toBeUndefined();
  });

  test('a namespace comes before the host, the longest first', async () => {
    await put('.docker/config.json', {
      auths: { 'r.example:5000': auth('host:x'), 'r.example:5000/a': auth('a:x'), 'r.example:5000/a/b': auth('ab:x') },
    });
    const user = async (repository: string) => await findLogin('r.example:5000', env, repository);
    expect(await user('a/b/c')).toMatchObject({ username: 'ab' });
    expect(await user('a/bb')).toMatchObject({ username: 'a' });
    expect(await user('ab')).toMatchObject({ username: 'host' });
    expect(await find()).toMatchObject({ username: 'host' });
  });

  test('an identity token', async () => {
    await put('.docker/config.json', { auths: { 'r.example:5000': { identitytoken: 'abc' } } });
    expect(await find()).toEqual({ identityToken: 'abc' });
  });

  test('a damaged file is named, and what it holds is not', async () => {
    const file = await put('.docker/config.json', '{"auths": {"r": {"auth": "c2VjcmV0"');
    await expect(find()).rejects.toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: expect.stringContaining(file),
    });
  });
});

describe('login and logout', () => {
  const place = { registry: 'r.example:5000' };
  const login = { username: 'me', password: 'a:b' };

  test('are kept in a file that only the user reads, with what is there already', async () => {
    const file = await put('.config/containers/auth.json', { auths: { 'other.example': auth('you:x') }, extra: 1 });
    expect(await saveLogin(place, login, env)).toBe(file);
    expect(await find()).toEqual(login);
    expect(await find('other.example')).toMatchObject({ username: 'you' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ extra: 1 });
    await saveLogin({ ...place, namespace: 'team' }, { username: 'team', password: 'y' }, env);
    expect(await findLogin('r.example:5000', env, 'team/x')).toMatchObject({ username: 'team' });
    expect(await removeLogin(place, env)).toEqual([file]);
    expect(await find()).toBeUndefined();
    expect(await findLogin('r.example:5000', env, 'team/x')).toMatchObject({ username: 'team' });
    expect(await removeLogin(place, env)).toEqual([]);
  });

  test('Docker Hub is called as docker calls it', async () => {
    const file = await saveLogin({ registry: 'docker.io' }, login, env);
    expect(await readFile(file, 'utf8')).toContain('https://index.docker.io/v1/');
    expect(await find('docker.io')).toEqual(login);
  });

  test('are told to the credential helper where there is one, and stand in no file', async () => {
    const program = await put('bin/docker-credential-h', `#!/bin/sh\necho "$1 $(cat)" >> ${join(home, 'told')}\n`);
    await chmod(program, 0o755);
    await put('.docker/config.json', { credsStore: 'h' });
    expect(await saveLogin(place, login, env)).toBe('docker-credential-h');
    await expect(stat(join(home, '.config/containers/auth.json'))).rejects.toThrow();
    expect(await removeLogin(place, env)).toEqual(['docker-credential-h']);
    expect(await readFile(join(home, 'told'), 'utf8')).toBe(
      'store {"ServerURL":"r.example:5000","Username":"me","Secret":"a:b"}\nerase r.example:5000\n',
    );
  });
});

describe('credential helpers', () => {
  const helper = async (name: string, script: string) => {
    await chmod(await put(`bin/docker-credential-${name}`, `#!/bin/sh\n${script}\n`), 0o755);
  };

  test('are asked for the registry, the store for the rest', async () => {
    await helper(
      'one',
      'read server; echo "{\\"ServerURL\\":\\"$server\\",\\"Username\\":\\"$1 $server\\",\\"Secret\\":\\"s\\"}"',
    );
    await helper('all', 'echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"t\\"}"');
    await put('.docker/config.json', { credHelpers: { 'r.example:5000': 'one' }, credsStore: 'all' });
    expect(await find()).toEqual({ username: 'get r.example:5000', password: 's' });
    expect(await find('other.example')).toEqual({ identityToken: 't' });
  });

  test('that know nothing say so; those that fail are errors that show no secret', async () => {
    await put('.docker/config.json', { credsStore: 'x' });
    await helper('x', 'echo credentials not found in native keychain; exit 1');
    expect(await find()).toBeUndefined();
    await helper('x', 'echo keychain is locked; exit 1');
    await expect(find()).rejects.toMatchObject({ message: expect.stringContaining('keychain is locked') });
    await helper('x', 'echo "{\\"Secret\\": \\"hunter2\\""');
    const error = await find().catch((cause) => cause);
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
    expect(`${error.message} ${error.cause}`).not.toContain('hunter2');
  });

  test('that are missing, or are no names', async () => {
    await put('.docker/config.json', { credsStore: 'missing' });
    await expect(find()).rejects.toMatchObject({ message: expect.stringContaining('docker-credential-missing') });
    await put('.docker/config.json', { credsStore: '../../bin/sh' });
    await expect(find()).rejects.toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
  });
});
