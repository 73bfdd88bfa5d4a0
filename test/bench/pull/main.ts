// SPDX-License-Identifier: Apache-2.0
// `npm run bench:pull`: pulls of ours and of others from our registry, in turn, into fresh stores. `--help` says more.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Line, whyNoLine } from '../../pull/network/line.ts';
import { root } from '../../whole/command.ts';
import { builtCommand } from '../registry/built-command.ts';
import { machine } from '../registry/report.ts';
import { runServer } from '../registry/running-server.ts';
import { CONTESTANTS, type Contestant } from './contestants.ts';
import { type BenchImage, IMAGES, type ImageName, pushImage } from './image.ts';
import { type Measured, report, type Scene } from './report.ts';
import { timePull } from './timed.ts';

const HELP = `npm run bench:pull -- [options]

Pulls an image of several layers from our registry, each time into a fresh store, with each tool in turn, so that what
else the machine does meets all of them. Medians over the rounds; only ratios within a run compare.

  --rounds N        how often (default 5)
  --images A,B      100MB, 1GB (default: both)
  --tools A,B       only these (default: all that are here)
  --line MS,LOSS    over a line with so many milliseconds of delay and so many percent of loss in each direction, between
                    two network namespaces (root), with uk, skopeo and crane
  --congestion NAME how the server's side of that line avoids congestion (default: as the system does)
  --json FILE       write every figure there, too
  --help

tools:
${CONTESTANTS.map(({ name, what }) => `  ${name.padEnd(16)}${what}`).join('\n')}
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    images: { type: 'string', default: Object.keys(IMAGES).join(',') },
    tools: { type: 'string' },
    line: { type: 'string' },
    congestion: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'uk-bench-pull-'));
  try {
    await bench(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bench(folder: string): Promise<void> {
  const { contestants, versions, missing } = choose();
  const storage = join(folder, 'registry');
  const images: BenchImage[] = [];
  const command = builtCommand();
  const serve = ['registry', 'serve', '--storage', storage, '--log-level', 'error', '--listen'];
  const filling = await runServer(command, [...serve, '127.0.0.1:0']);
  for (const name of values.images.split(',') as ImageName[]) {
    say(`making ${name}`);
    images.push(await pushImage(new URL(filling.url).host, name, folder));
  }
  await filling.stop();

  const line = values.line === undefined ? undefined : await openLine(folder, values.line);
  const at = line === undefined ? undefined : (...words: string[]) => line.atNode(...words);
  const measured: Measured[] = [];
  let server: Awaited<ReturnType<typeof runServer>> | undefined;
  try {
    if (line === undefined) {
      server = await runServer(command, [...serve, '127.0.0.1:0']);
    } else {
      const [ip, ...args] = line.atServer(command, ...serve, `${Line.server}:5000`);
      server = await runServer(ip, args, {}, `http://${Line.server}:5000`, false);
    }
    const registry = new URL(server.url).host;
    for (const image of images) {
      // One round that does not count fills the caches.
      for (let round = -1; round < Number(values.rounds); round++) {
        for (const contestant of contestants) {
          say(`${image.name}, ${round < 0 ? 'warming up' : `round ${round + 1}`}: ${contestant.name}`);
          const result = await timePull(contestant, { registry, image, folder: join(folder, 'run') }, at);
          if (round >= 0) measured.push({ image: image.name, size: image.size, tool: contestant.name, ...result });
        }
      }
    }
  } finally {
    await server?.stop();
    line?.close();
  }
  const scene: Scene = {
    machine: machine(),
    date: new Date().toISOString().slice(0, 10),
    command: `npm run bench:pull ${process.argv.length > 2 ? `-- ${process.argv.slice(2).join(' ')}` : ''}`.trim(),
    commit: execFileSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).trim(),
    versions,
    missing,
  };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ ...scene, measured }, null, 2)}\n`);
  console.log(report(scene, measured));
}

function choose(): { contestants: Contestant[]; versions: string[]; missing: string[] } {
  const contestants: Contestant[] = [];
  const versions: string[] = [];
  const missing: string[] = [];
  const wanted = values.tools?.split(',');
  for (const contestant of CONTESTANTS) {
    const { name } = contestant;
    if (wanted !== undefined ? !wanted.includes(name) : values.line !== undefined && !contestant.anywhere) continue;
    try {
      versions.push(`${name}: ${contestant.version()}`);
      contestants.push(contestant);
    } catch (error) {
      missing.push(`${name} is left out: ${(error as Error).message.split('\n', 1)[0]}`);
    }
  }
  return { contestants, versions, missing };
}

async function openLine(folder: string, text: string): Promise<Line> {
  const why = whyNoLine();
  if (why !== undefined) throw new Error(`--line: ${why}`);
  const [delayMs = Number.NaN, lossPercent = Number.NaN] = text.split(',').map(Number);
  if (!(delayMs >= 0 && lossPercent >= 0)) throw new Error(`--line: not MS,PERCENT: ${text}`);
  const { congestion } = values;
  return await Line.open(folder, { delayMs, lossPercent, ...(congestion === undefined ? {} : { congestion }) });
}

/** Where it stands; not among the results. */
function say(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
