// SPDX-License-Identifier: Apache-2.0
// `npm run bench:kernel`: our kernel against others, in numbers. `--help` says more.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findKernels } from './contestants.ts';
import { killGuests } from './guest.ts';
import { hello } from './hello.ts';
import { memory } from './memory.ts';
import { nullCall } from './null-call.ts';
import { type Part, readOptions } from './options.ts';
import { about, report } from './report.ts';
import type { Bench, Section } from './section.ts';
import { servers } from './servers.ts';
import { size } from './size.ts';

const RUN: Record<Part, (bench: Bench) => Promise<Section>> = { hello, null: nullCall, size, memory, servers };

const options = readOptions(process.argv.slice(2));
if (options !== undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'uk-bench-'));
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      killGuests();
      rmSync(folder, { recursive: true, force: true });
      process.exit(status);
    });
  }
  try {
    const kernels = await findKernels(say);
    const begin = performance.now();
    const sections: Section[] = [];
    for (const part of options.parts) {
      say(part);
      sections.push(await RUN[part]({ kernels, folder, rounds: options.rounds, say }));
    }
    const head = about(kernels, options.rounds, (performance.now() - begin) / 1000);
    console.log(options.json ? JSON.stringify({ ...head, sections }, null, 2) : report(head, sections));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where it stands; not among the results. */
function say(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
