// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { MachineSpec } from '../monitor.ts';
import { explainQemuExit } from './failure.ts';

const spec: MachineSpec = {
  machine: { type: 'microvm', options: {} },
  kernel: 'k',
  memory: 128 * 1024 ** 2,
  cpus: 1,
  accelerator: { kind: 'tcg' },
  forwards: [],
  verbose: false,
};

/** As QEMU 7.2 and 10.0 say it. */
test.each([
  [
    "qemu-system-x86_64: -netdev user,id=net,hostfwd=tcp:127.0.0.1:8080-:80: Could not set up host forwarding rule 'tcp:127.0.0.1:8080-:80'",
    'PORT_IN_USE',
    '127.0.0.1:8080',
  ],
  ["qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory", 'MONITOR_FAILED', '128 MiB'],
  [
    'Could not access KVM kernel module: Permission denied\nqemu-system-x86_64: failed to initialize kvm: Permission denied',
    'OPTION_UNSUPPORTED',
    'KVM',
  ],
  [
    'qemu-system-x86_64: -machine microvm: unsupported machine type\nUse -machine help to list supported machines',
    'MONITOR_MISSING',
    'QEMU',
  ],
  ['qemu: invalid kernel header', 'MONITOR_FAILED', 'kernel'],
  ['qemu-system-x86_64: warning: nothing\nqemu-system-x86_64: it broke', 'MONITOR_FAILED', 'it broke'],
])('%s', (complaint, code, said) => {
  const error = explainQemuExit(spec, { code: 1, signal: null, complaint });
  expect(error.code).toBe(code);
  expect(error.message).toContain(said);
  expect(error.message).not.toContain('\n');
  expect(error.hint).toBeTruthy();
});

test('an end without a word', () => {
  expect(explainQemuExit(spec, { code: null, signal: 'SIGKILL', complaint: '' }).message).toBe(
    'the monitor ended by itself (SIGKILL)',
  );
});
