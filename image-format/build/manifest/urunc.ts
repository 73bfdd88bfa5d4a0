// SPDX-License-Identifier: Apache-2.0
import type { ExecutionConfig } from '../../image-config.ts';

/** Where urunc looks when the container engine hands it no annotations. */
export const URUNC_FILE = 'urunc.json';

export const KERNEL_PATH = 'boot/vmlinux';

/**
 * What urunc (a container runtime for unikernels) wants to know, in its own words. It stands in the labels, in the
 * manifest's annotations and, for engines that pass on neither, in `/urunc.json`.
 *
 * @see https://urunc.io/package/ "Annotations"
 */
export function uruncAnnotations(monitor: string, execution: ExecutionConfig): Record<string, string> {
  const command = [...(execution.Entrypoint ?? []), ...(execution.Cmd ?? [])];
  return {
    'com.urunc.unikernel.binary': `/${KERNEL_PATH}`,
    'com.urunc.unikernel.cmdline': command.join(' '),
    'com.urunc.unikernel.hypervisor': monitor,
    'com.urunc.unikernel.mountRootfs': 'true',
    'com.urunc.unikernel.unikernelType': 'linux',
  };
}

export function isUruncAnnotation(name: string): boolean {
  return name.startsWith('com.urunc.unikernel.');
}

/** The file's values are in base64. */
export function uruncFile(annotations: Readonly<Record<string, string>>): Buffer {
  const encoded = Object.entries(annotations).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return Buffer.from(`${JSON.stringify(Object.fromEntries(encoded), null, 2)}\n`);
}
