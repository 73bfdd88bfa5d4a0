// SPDX-License-Identifier: Apache-2.0
// `npm run fuzz:registry`: requests at random against `uk registry serve`, for a minute or as long as one says.
import { parseArgs } from 'node:util';
import { serveRegistry, temporaryFolder } from '../../whole/command.ts';
import { startGoDecoder } from '../go-decoder.ts';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`npm run fuzz:registry -- [--seconds N] [--seed N]

Sends requests at random, whole ones and torn ones, to a registry of its own. It fails with the smallest request that
brings a 5xx, an answer that is none, or the server's end, and with the smallest manifest that the registry takes and a
client written in Go cannot read (where Go is at hand). The same seed makes the same requests.`);
} else {
  const seed = Number(values.seed);
  const limitMs = Number(values.seconds) * 1000;
  if (!Number.isInteger(seed) || !(limitMs > 0)) throw new Error('--seconds and --seed are numbers; try --help');
  console.log(`seed ${seed}, ${limitMs / 1000} s`);
  const started = startGoDecoder();
  const decoder = typeof started === 'string' ? undefined : started;
  if (typeof started === 'string') console.log(started);
  await using folder = await temporaryFolder();
  const server = await serveRegistry(folder.path);
  try {
    const runs = Number.MAX_SAFE_INTEGER;
    const done = await fuzz(`http://${server.host}`, { seed, runs, limitMs, decoder });
    console.log(`${done.requests} requests, none of them answered wrongly`);
    console.log(
      `${done.manifests} manifests, of which ${done.taken} were taken${decoder ? ', and Go reads those' : ''}`,
    );
  } finally {
    decoder?.close();
    if ((await server.stop()) !== 0) process.exitCode = 1;
  }
}
