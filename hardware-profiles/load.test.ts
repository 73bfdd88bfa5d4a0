// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatProfile, listProfiles, loadProfile, ProfileError, parseProfile, profileFolders } from './index.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'uk-profiles-'));
});
afterEach(async () => await rm(dir, { recursive: true }));

const own = profileFolders().at(-1) ?? '';
const put = async (name: string, content: unknown) => {
  await writeFile(join(dir, `${name}.json`), typeof content === 'string' ? content : JSON.stringify(content));
  return join(dir, `${name}.json`);
};
const refused = (code: string, message: string) => ({ code, message: expect.stringContaining(message) });

describe('profiles', () => {
  test('the default is there, and bytes are bytes', async () => {
    const profile = await loadProfile();
    expect(profile).toMatchObject({ name: 'qemu-microvm', monitor: 'qemu', defaults: { memory: 134217728, cpus: 1 } });
  });

  test('all that come with uk are valid, and named as their files', async () => {
    const profiles = await listProfiles({ dirs: [own] });
    expect(profiles.map(({ name }) => name)).toContain('qemu-microvm');
  });

  test('what stands in an image is read as what it was', async () => {
    const profile = await loadProfile();
    const bytes = formatProfile(profile);
    expect(parseProfile(bytes, 'image')).toEqual(profile);
    expect(formatProfile(parseProfile(bytes, 'image'))).toEqual(bytes);
  });

  test('what an older uk wrote keeps its bytes', async () => {
    const { memory: _memory, ...profile } = await loadProfile();
    const devices = profile.devices.filter((device) => device !== 'virtio-balloon');
    const old = Buffer.from(`${JSON.stringify({ ...profile, devices }, null, 2)}\n`);
    expect(formatProfile(parseProfile(old, 'image'))).toEqual(old);
  });

  test("the user's come before uk's; a path names a file", async () => {
    const mine = { ...(await loadProfile()), description: 'mine' };
    const path = await put('qemu-microvm', mine);
    await put('other', { ...mine, name: 'other' });
    const dirs = [dir, own];
    expect((await loadProfile('qemu-microvm', { dirs })).description).toBe('mine');
    expect((await loadProfile(path)).description).toBe('mine');
    expect((await listProfiles({ dirs })).map(({ name, description }) => `${name} ${description}`)).toEqual([
      'other mine',
      'qemu-microvm mine',
    ]);
    const env = { XDG_CONFIG_HOME: '/config', HOME: '/home/me' };
    expect(profileFolders(env)[0]).toBe('/config/uk/profiles');
    expect(profileFolders({ HOME: '/home/me' })[0]).toBe('/home/me/.config/uk/profiles');
  });

  test('an unknown one names the known', async () => {
    await expect(loadProfile('qemu-mikrovm')).rejects.toMatchObject({
      code: 'PROFILE_UNKNOWN',
      hint: expect.stringContaining('qemu-microvm'),
    });
    await expect(loadProfile(join(dir, 'none.json'))).rejects.toMatchObject(refused('PROFILE_UNKNOWN', 'none.json'));
  });

  test('a damaged one says where', async () => {
    const profile = await loadProfile();
    const cases: [unknown, string][] = [
      ['{', 'not JSON'],
      [{ ...profile, monitor: undefined }, 'monitor'],
      [{ ...profile, devices: ['floppy'] }, 'devices.0'],
      [{ ...profile, defaults: { memory: 'lots', cpus: 1 } }, 'defaults.memory: not an amount of memory: "lots"'],
      [{ ...profile, defaults: { memory: '1G', cpus: 0 } }, 'defaults.cpus'],
      [{ ...profile, memory: { hugePages: '4K' } }, 'memory.hugePages'],
      [{ ...profile, memory: { prefault: 'yes' } }, 'memory.prefault'],
      [{ ...profile, typo: 1 }, 'typo'],
      [{ ...profile, name: 'other' }, 'has another name: other'],
    ];
    for (const [content, message] of cases) {
      await put('bad', typeof content === 'string' ? content : { name: 'bad', ...(content as object) });
      await expect(loadProfile('bad', { dirs: [dir] })).rejects.toMatchObject(refused('PROFILE_INVALID', message));
    }
  });

  test('a folder that cannot be read is named', async () => {
    await writeFile(join(dir, 'file'), '');
    await mkdir(join(dir, 'empty'));
    expect(await listProfiles({ dirs: [join(dir, 'empty'), join(dir, 'missing')] })).toEqual([]);
    await expect(listProfiles({ dirs: [join(dir, 'file')] })).rejects.toMatchObject({ code: 'PROFILE_UNKNOWN' });
  });

  test('any JSON is a profile or an error of ours', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          parseProfile(Buffer.from(text), 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(ProfileError);
        }
      }),
    );
  });
});
