// SPDX-License-Identifier: Apache-2.0
import { PullerError } from '../../errors.ts';
import type { MachineSpec, PortForward } from '../monitor.ts';
import { storageArguments } from './disks.ts';
import { checkMachine } from './machine.ts';
import { balloonDevice, mebibytes, memoryObject, memorySwitch } from './memory.ts';

/** The descriptors that QEMU inherits: sockets without a name, so that there is nothing on disk to be cleaned up. */
export const DESCRIPTOR = { control: 3, stdin: 4, stdout: 5, stderr: 6, qmp: 7, agent: 8 } as const;

/** docs/guest-contract.md, "Ports". nr 0 would be a console's. */
const PORTS = [
  ['control', 1],
  ['stdin', 2],
  ['stdout', 3],
  ['stderr', 4],
  ['agent', 5],
] as const;

/**
 * QEMU's arguments. No shell ever sees them, and no path stands where QEMU would split it at commas.
 *
 * @param sockets of the daemons that share folders by virtiofs, by tag
 * @throws PullerError `OPTION_UNSUPPORTED`, `IMAGE_UNSUPPORTED`
 */
export function qemuArguments(spec: MachineSpec, sockets: ReadonlyMap<string, string> = new Map()): string[] {
  const ports = PORTS.filter(([name]) => name !== 'agent' || spec.agent);
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...(spec.uuid === undefined ? [] : ['-uuid', spec.uuid]),
    ...['-machine', machine(spec)],
    ...['-accel', spec.accelerator.kind],
    ...['-cpu', cpu(spec)],
    ...['-smp', String(spec.cpus)],
    ...['-m', `${mebibytes(spec)}M`],
    ...memoryObject(spec),
    ...['-kernel', spec.kernel],
    ...(spec.initrd === undefined ? [] : ['-initrd', spec.initrd]),
    ...['-append', kernelCommandLine(spec)],
    // The kernel's log is QEMU's standard output. It is small; a stream of the program's could lose bytes there.
    ...['-chardev', 'stdio,id=log,signal=off', '-serial', 'chardev:log'],
    ...['-device', `virtio-serial-device,max_ports=${ports.length + 1}`],
    ...ports.flatMap(([name, number]) => [
      ...['-chardev', `socket,id=${name},fd=${DESCRIPTOR[name]}`],
      ...['-device', `virtserialport,chardev=${name},name=uk.${name},nr=${number}`],
    ]),
    ...['-chardev', `socket,id=qmp,fd=${DESCRIPTOR.qmp}`, '-mon', 'chardev=qmp,mode=control'],
    ...['-object', 'rng-random,id=random,filename=/dev/urandom', '-device', 'virtio-rng-device,rng=random'],
    ...['-netdev', ['user,id=net,ipv6=off', ...spec.forwards.map(hostForward)].join(',')],
    ...['-device', 'virtio-net-device,netdev=net'],
    ...storageArguments(spec, sockets),
    ...balloonDevice(spec),
  ];
}

/** Without a known time stamp counter the guest needs the old timers to calibrate it. */
function machine(spec: MachineSpec): string {
  const { machine: given, accelerator } = spec;
  checkMachine(given);
  const { type, options } = given;
  const timers = accelerator.kind === 'kvm' || accelerator.tscKhz !== undefined ? 'off' : 'on';
  const ours = type === 'microvm' ? { 'x-option-roms': 'off', pit: timers, pic: timers } : {};
  return [
    type,
    ...Object.entries({ ...ours, ...memorySwitch(spec), ...options }).map(([name, value]) => `${name}=${value}`),
  ].join(',');
}

/** In the emulator `rep movsb` is slow, and the kernel uses it where these flags say that it is fast. */
function cpu({ accelerator }: MachineSpec): string {
  return accelerator.kind === 'kvm' ? 'host' : 'max,-erms,-fsrm';
}

/**
 * docs/guest-contract.md, "Kernel command line". QEMU's local APIC runs at 1 GHz under both accelerators; `--` must
 * never stand here, or QEMU would put its devices behind it.
 */
export function kernelCommandLine(spec: MachineSpec): string {
  const { accelerator, verbose, cpus, hz } = spec;
  const words = ['console=ttyS0', 'rdinit=/.uk/init', 'panic=-1', 'reboot=t', '8250.nr_uarts=1'];
  if (!verbose) words.push('quiet');
  if (accelerator.kind === 'kvm') words.push('lapic_khz=1000000', 'no_timer_check');
  else if (accelerator.tscKhz !== undefined) {
    words.push('lapic_khz=1000000', 'no_timer_check', `tsc_early_khz=${accelerator.tscKhz}`, 'tsc=reliable');
    // The first processor knows it by its counter; each further one would measure it again, for 15 ticks.
    if (cpus > 1 && hz !== undefined) words.push(`lpj=${Math.round((accelerator.tscKhz * 1000) / hz)}`);
  }
  // The emulator has one processor do without locks anyway: no need to rewrite 4,000 instructions of the kernel.
  if (accelerator.kind === 'tcg' && cpus === 1) words.push('noreplace-smp');
  // A program may have any of them without interrupts: the watchdog's reaches the first one only, if nothing is said.
  if (cpus > 1) words.push('apic_extnmi=all');
  // Free memory is reported in pieces of 2 MiB, which are the host's huge pages; the kernel's own choice is 4.
  if (balloonDevice(spec).length > 0) words.push('page_reporting.page_reporting_order=9');
  return words.join(' ');
}

function hostForward({ address, host, guest, protocol }: PortForward): string {
  if (address.includes(':')) {
    throw new PullerError('OPTION_UNSUPPORTED', `cannot forward from the IPv6 address ${address}`, {
      hint: 'name an IPv4 address of this machine, or 0.0.0.0 for all of them',
    });
  }
  return `hostfwd=${protocol}:${address}:${host}-:${guest}`;
}
