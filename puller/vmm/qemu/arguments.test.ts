// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { MachineSpec } from '../monitor.ts';
import { kernelCommandLine, qemuArguments } from './arguments.ts';

const spec: MachineSpec = {
  machine: { type: 'microvm', options: { acpi: 'off', rtc: 'on' } },
  kernel: '/cache/with, comma/vmlinux',
  initrd: '/cache/with, comma/initrd',
  memory: 128 * 1024 ** 2,
  cpus: 2,
  accelerator: { kind: 'tcg', tscKhz: 2_596_122 },
  forwards: [],
  verbose: false,
};

/** The values of an option, in order. */
function valuesOf(option: string, args: string[]): string[] {
  return args.flatMap((argument, index) => (argument === option ? [args[index + 1] ?? ''] : []));
}

test('paths stand where nothing splits them', () => {
  const args = qemuArguments(spec);
  expect(valuesOf('-kernel', args)).toEqual([spec.kernel]);
  expect(valuesOf('-initrd', args)).toEqual([spec.initrd]);
});

test('the four ports have the names and numbers of the contract', () => {
  const args = qemuArguments(spec);
  expect(valuesOf('-device', args)).toEqual(
    expect.arrayContaining([
      'virtserialport,chardev=control,name=uk.control,nr=1',
      'virtserialport,chardev=stdin,name=uk.stdin,nr=2',
      'virtserialport,chardev=stdout,name=uk.stdout,nr=3',
      'virtserialport,chardev=stderr,name=uk.stderr,nr=4',
    ]),
  );
});

test('the agent has a port where it is wanted', () => {
  const port = 'virtserialport,chardev=agent,name=uk.agent,nr=5';
  expect(valuesOf('-device', qemuArguments(spec))).not.toContain(port);
  const wanted = qemuArguments({ ...spec, agent: true });
  expect(valuesOf('-device', wanted)).toEqual(expect.arrayContaining([port, 'virtio-serial-device,max_ports=6']));
  expect(valuesOf('-chardev', wanted)).toContain('socket,id=agent,fd=8');
});

test('without an initrd there is no such option', () => {
  expect(qemuArguments({ ...spec, initrd: undefined })).not.toContain('-initrd');
});

describe('machine', () => {
  test("the profile's switches win", () => {
    const options = { pit: 'on', acpi: 'off' };
    const [machine] = valuesOf('-machine', qemuArguments({ ...spec, machine: { type: 'microvm', options } }));
    expect(machine).toBe('microvm,x-option-roms=off,pit=on,pic=off,acpi=off');
  });

  test('the old timers are there where the frequency is not known', () => {
    const [machine] = valuesOf('-machine', qemuArguments({ ...spec, accelerator: { kind: 'tcg' } }));
    expect(machine).toContain('pit=on,pic=on');
  });

  test('memory in whole MiB, processors', () => {
    const args = qemuArguments({ ...spec, memory: 128 * 1024 ** 2 + 1 });
    expect(valuesOf('-m', args)).toEqual(['129M']);
    expect(valuesOf('-smp', args)).toEqual(['2']);
  });
});

describe('kernel command line', () => {
  test('presets under TCG', () =>
    expect(kernelCommandLine({ ...spec, cpus: 2 })).toBe(
      'console=ttyS0 rdinit=/.uk/init panic=-1 reboot=t 8250.nr_uarts=1 quiet lapic_khz=1000000 no_timer_check tsc_early_khz=2596122 tsc=reliable apic_extnmi=all',
    ));
  test('what further processors would measure, by the ticks of their kernel', () => {
    expect(kernelCommandLine({ ...spec, cpus: 2, hz: 100 })).toContain(' lpj=25961220');
    expect(kernelCommandLine({ ...spec, cpus: 2, hz: 1000 })).toContain(' lpj=2596122');
    for (const other of [
      { cpus: 1, hz: 100 },
      { cpus: 2 },
      { cpus: 2, hz: 100, accelerator: { kind: 'tcg' as const } },
    ]) {
      expect(kernelCommandLine({ ...spec, ...other })).not.toContain('lpj=');
    }
  });
  test('locks stay where they cost nothing', () => {
    expect(kernelCommandLine({ ...spec, cpus: 1 })).toContain('noreplace-smp');
    expect(kernelCommandLine({ ...spec, cpus: 1 })).not.toContain('apic_extnmi');
    expect(kernelCommandLine({ ...spec, cpus: 2 })).toContain(' apic_extnmi=all');
    expect(kernelCommandLine({ ...spec, cpus: 2 })).not.toContain('noreplace-smp');
    expect(kernelCommandLine({ ...spec, cpus: 1, accelerator: { kind: 'kvm' } })).not.toContain('noreplace-smp');
  });
  test('no frequency of the host under KVM', () =>
    expect(kernelCommandLine({ ...spec, accelerator: { kind: 'kvm' } })).not.toContain('tsc'));
  test('nothing is claimed that is not known', () =>
    expect(kernelCommandLine({ ...spec, accelerator: { kind: 'tcg' } })).not.toMatch(/tsc|lapic/));
  test('everything is logged where somebody looks', () =>
    expect(kernelCommandLine({ ...spec, verbose: true })).not.toContain('quiet'));
  test('no "--"', () => expect(kernelCommandLine(spec).split(' ')).not.toContain('--'));
});

describe("the guest's memory", () => {
  const withBacking = (backing: MachineSpec['backing'], memory = spec.memory): string[] =>
    qemuArguments({ ...spec, backing, memory });

  test('comes as it is touched where nobody says more', () => {
    expect(withBacking(undefined)).toEqual(withBacking({ prefault: false, reporting: false }));
    expect(valuesOf('-machine', withBacking({}))[0]).not.toContain('memory-backend');
    expect(withBacking({}).join(' ')).not.toContain('balloon');
  });

  test('is there before the guest starts', () => {
    const args = withBacking({ prefault: true });
    expect(valuesOf('-object', args)).toContain('memory-backend-ram,id=memory,size=128M,prealloc=on');
    expect(valuesOf('-machine', args)[0]).toContain(',memory-backend=memory');
  });

  test('is whole huge pages', () => {
    const args = withBacking({ hugePages: '2M' }, 128 * 1024 ** 2 + 1);
    expect(valuesOf('-m', args)).toEqual(['130M']);
    expect(valuesOf('-object', args)).toContain(
      'memory-backend-memfd,hugetlb=on,hugetlbsize=2M,share=off,id=memory,size=130M,prealloc=off',
    );
    expect(valuesOf('-m', withBacking({ hugePages: '1G' }))).toEqual(['1024M']);
  });

  test('goes back, unless it is to stay', () => {
    const args = withBacking({ reporting: true });
    expect(valuesOf('-device', args)).toContain('virtio-balloon-device,free-page-reporting=on');
    expect(valuesOf('-append', args)[0]).toContain('page_reporting_order=9');
    for (const keep of [{ prefault: true }, { hugePages: '2M' } as const]) {
      expect(withBacking({ reporting: true, ...keep }).join(' ')).not.toContain('balloon');
    }
  });
});

describe('forwards', () => {
  test('one option with all of them', () => {
    const args = qemuArguments({
      ...spec,
      forwards: [
        { address: '127.0.0.1', host: 8080, guest: 80, protocol: 'tcp' },
        { address: '0.0.0.0', host: 0, guest: 53, protocol: 'udp' },
      ],
    });
    expect(valuesOf('-netdev', args)).toEqual([
      'user,id=net,ipv6=off,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:0.0.0.0:0-:53',
    ]);
  });

  test('IPv6 is refused', () => {
    const forwards = [{ address: '::1', host: 1, guest: 1, protocol: 'tcp' as const }];
    expect(() => qemuArguments({ ...spec, forwards })).toThrow(/IPv6/);
  });
});
