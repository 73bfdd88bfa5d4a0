// SPDX-License-Identifier: Apache-2.0
// The least memory in which 1 GB of Debian comes to its shell.
import { runUk } from '../../whole/command.ts';
import type { Images } from './images.ts';
import type { Row } from './row.ts';

const SIZES = [64, 48, 40, 32, 30, 28, 27, 26];

export async function leastMemory({ env, big }: Images): Promise<Row[]> {
  let least = Number.NaN;
  for (const size of SIZES) {
    const { stdout } = await runUk(['run', '-m', `${size}M`, big, '--', '/bin/bash', '-c', 'echo shell'], { env });
    if (stdout.toString() !== 'shell\n') break;
    least = size;
  }
  return [{ what: 'memory in which 1 GB of Debian comes to its shell', ours: `${least} MiB`, wanted: '≤ 64 MiB' }];
}
