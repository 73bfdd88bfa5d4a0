// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadProfile } from '../../../hardware-profiles/index.ts';
import { type BuiltKernel, type KernelDescription, kernelFor } from '../../../kernel-build/index.ts';

/** A kernel and how it is started. */
export interface Contestant {
  name: 'stock' | 'ring 3, no presets' | 'ring 3' | 'ring 0';
  path: string;
  version: string;
  /** Whether the command line tells what is known of the machine, so that nothing is measured at boot. */
  presets: boolean;
}

export interface Kernels {
  ring0: Contestant;
  ring3: Contestant;
  /** As anybody would start it who knows nothing of the machine. */
  ring3Plain: Contestant;
  /** Debian's kernel for clouds, as it boots there: compressed, with everything it may need. */
  stock: Contestant | undefined;
  built: BuiltKernel;
}

/** Ours are built where they are not in the cache, which takes minutes. */
export async function findKernels(say: (text: string) => void): Promise<Kernels> {
  const { kernel } = await loadProfile();
  const build = async (variant: string): Promise<[BuiltKernel, string]> => {
    let last = '';
    const onProgress = ({ phase }: { phase: string }): void => {
      if (phase !== last) say(`kernel ${variant}: ${phase}`);
      last = phase;
    };
    const built = await kernelFor({ ...kernel, variant }, { onProgress });
    const { version } = JSON.parse(readFileSync(built.kernelJson, 'utf8')) as KernelDescription;
    return [built, version];
  };
  const [ours, version] = await build('default');
  const [other, otherVersion] = await build('ring3');
  const ring3 = { path: other.vmlinux, version: otherVersion };
  return {
    ring0: { name: 'ring 0', path: ours.vmlinux, version, presets: true },
    ring3: { name: 'ring 3', ...ring3, presets: true },
    ring3Plain: { name: 'ring 3, no presets', ...ring3, presets: false },
    stock: stockKernel(),
    built: ours,
  };
}

function stockKernel(): Contestant | undefined {
  const newest = readdirSync('/boot')
    .filter((name) => /^vmlinuz-.*-cloud-amd64$/.test(name))
    .sort()
    .at(-1);
  if (newest === undefined) return undefined;
  return { name: 'stock', path: join('/boot', newest), version: newest.slice('vmlinuz-'.length), presets: false };
}
