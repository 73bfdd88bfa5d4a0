// SPDX-License-Identifier: Apache-2.0
import { PullerError } from '../../errors.ts';
import type { MachineSpec } from '../monitor.ts';

/**
 * The switches that an image may set, per machine (QEMU, hw/i386/microvm.c, hw/i386/x86.c, hw/i386/pc.c). Others are
 * not harmless: `initrd`, `dtb`, `firmware`, `dumpdtb` and their like name files of the host.
 */
const SWITCHES: { readonly [type: string]: ReadonlySet<string> | undefined } = {
  microvm: new Set([
    ...['acpi', 'auto-kernel-cmdline', 'ioapic2', 'isa-serial', 'pcie', 'pic', 'pit', 'rtc', 'usb', 'x-option-roms'],
  ]),
};

const VALUES: ReadonlySet<string> = new Set(['on', 'off', 'auto']);

/**
 * What a profile says of its machine comes from the image, and goes into an argument that QEMU splits at commas: only
 * what is known passes.
 *
 * @throws PullerError `IMAGE_UNSUPPORTED`
 */
export function checkMachine({ type, options }: MachineSpec['machine']): void {
  const switches = Object.hasOwn(SWITCHES, type) ? SWITCHES[type] : undefined;
  if (switches === undefined) throw unsupported(`the machine ${JSON.stringify(type)}`, Object.keys(SWITCHES));
  for (const [name, value] of Object.entries(options)) {
    if (!switches.has(name)) throw unsupported(`the machine option ${JSON.stringify(name)}`, switches);
    if (!VALUES.has(value)) throw unsupported(`the machine option ${name}=${JSON.stringify(value)}`, VALUES);
  }
}

function unsupported(what: string, known: Iterable<string>): PullerError {
  return new PullerError(
    'IMAGE_UNSUPPORTED',
    `the image asks for ${what.slice(0, 200)}, which this node does not allow`,
    {
      hint: `allowed are ${[...known].join(', ')}`,
    },
  );
}
