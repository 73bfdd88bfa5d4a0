// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll } from 'vitest';
import { monitorSuite } from '../../puller/vmm/monitor.suite.ts';
import { qemu } from '../../puller/vmm/qemu/driver.ts';
import { buildGuestImage, type GuestImage, runGuest } from './guest.ts';

let image: GuestImage;

beforeAll(async () => {
  image = await buildGuestImage();
});
afterAll(() => image?.[Symbol.asyncDispose]());

monitorSuite(async () => {
  const { kernel, root, profile } = image.bootable;
  if (root.kind !== 'initramfs') throw new Error('the test is for a root in memory');
  // With what guests really run on here.
  const { accelerator } = (await runGuest(image, 'exit')).outcome.choice;
  return {
    monitor: qemu,
    spec: {
      machine: profile.machine,
      kernel,
      initrd: root.initrd,
      memory: profile.defaults.memory,
      cpus: 1,
      accelerator,
      forwards: [],
      verbose: false,
    },
  };
});
