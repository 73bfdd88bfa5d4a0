// SPDX-License-Identifier: Apache-2.0
// The two kernels that are compared: the default profile's, with what the suites need, and only the ring differs.
import { loadProfile } from '../../../hardware-profiles/index.ts';
import { type BuiltKernel, kernelFor } from '../../../kernel-build/index.ts';

export const RINGS = ['ring0', 'ring3'] as const;
export type Ring = (typeof RINGS)[number];

/** `kernel-build/config/suites.config` is for these tests alone. */
const FRAGMENTS = ['block', 'suites'];

export async function kernelOf(
  ring: Ring,
  { signal, onStep }: { signal?: AbortSignal | undefined; onStep?: ((text: string) => void) | undefined } = {},
): Promise<BuiltKernel> {
  const { kernel } = await loadProfile();
  const variant = ring === 'ring0' ? 'default' : 'ring3';
  let phase = '';
  return kernelFor(
    { variant, fragments: [...kernel.fragments, ...FRAGMENTS] },
    {
      signal,
      onProgress: (event) => {
        if (event.phase !== phase) onStep?.(`kernel for ${ring}: ${event.phase}`);
        phase = event.phase;
      },
    },
  );
}
