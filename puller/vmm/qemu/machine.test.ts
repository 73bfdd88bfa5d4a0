// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadProfile } from '../../../hardware-profiles/index.ts';
import { PullerError } from '../../errors.ts';
import { monitorFor } from '../monitors.ts';
import { checkMachine } from './machine.ts';

test('the profile that comes with uk passes', async () => {
  const { machine } = await loadProfile();
  expect(() => checkMachine(machine)).not.toThrow();
});

test.each<[string, string, Record<string, string>, RegExp]>([
  ['a file of the host', 'microvm', { initrd: '/etc/shadow' }, /"initrd"/],
  ['a file to be written', 'microvm', { dumpdtb: '/home/me/.profile' }, /"dumpdtb"/],
  ['a second option behind a comma', 'microvm', { rtc: 'on,dumpdtb=/tmp/x' }, /rtc=.*dumpdtb/],
  ['a comma in a name', 'microvm', { 'rtc=on,initrd': '/etc/shadow' }, /initrd/],
  ['a name that every object has', 'microvm', { constructor: 'on' }, /constructor/],
  ['a value that is no switch', 'microvm', { acpi: 'yes' }, /acpi/],
  ['another machine', 'q35', {}, /q35/],
  ['a machine and more', 'microvm,initrd=/etc/shadow', {}, /microvm,initrd/],
  ['a machine that every object has', 'constructor', {}, /constructor/],
])('%s is refused', (_what, type, options, message) => {
  expect(() => checkMachine({ type, options })).toThrow(
    expect.objectContaining({ code: 'IMAGE_UNSUPPORTED', message: expect.stringMatching(message) }),
  );
});

test('whatever passes has nothing in it that QEMU would split', () => {
  const name = fc.oneof(fc.string(), fc.constantFrom('acpi', 'rtc', 'rtc,x', 'initrd'));
  const value = fc.oneof(fc.string(), fc.constantFrom('on', 'off', 'on,initrd=/x'));
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 3 }), (options) => {
      try {
        checkMachine({ type: 'microvm', options });
      } catch (error) {
        expect(error).toBeInstanceOf(PullerError);
        return;
      }
      for (const [key, given] of Object.entries(options))
        expect(`${key}=${given}`).toMatch(/^[a-z0-9-]+=(on|off|auto)$/);
    }),
  );
});

test('it is refused before a monitor is looked for', () => {
  const machine = { type: 'microvm', options: { initrd: '/etc/shadow' } };
  expect(() => monitorFor({ name: 'x', monitor: 'qemu', machine })).toThrow(/"initrd"/);
});
