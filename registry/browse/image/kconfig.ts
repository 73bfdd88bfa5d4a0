// SPDX-License-Identifier: Apache-2.0
import type { KconfigOption } from '../types/kernel.ts';

/** `CONFIG_X=y` and `# CONFIG_X is not set`, which is `n`; names come without `CONFIG_`. */
export function parseKconfig(text: string): KconfigOption[] {
  return text.split('\n').flatMap((line) => {
    const set = /^CONFIG_([A-Za-z0-9_]+)=(.*)$/.exec(line);
    if (set !== null) return { name: set[1] ?? '', value: set[2] ?? '' };
    const unset = /^# CONFIG_([A-Za-z0-9_]+) is not set$/.exec(line);
    return unset === null ? [] : { name: unset[1] ?? '', value: 'n' };
  });
}
