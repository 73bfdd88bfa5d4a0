// SPDX-License-Identifier: Apache-2.0
// `npm run bench:start`: how long a guest takes from its start to the program's output and to its end; ours against the
// same program on the stock Debian cloud kernel, in turn, in the same run. How large the kernel layer is, and how long
// `uk --help` takes. A table for people, JSON with --json.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { arch, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, uk } from '../whole/command.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 9);
const UK = join(root, 'puller/cli/uk');

interface Measured {
  /** Milliseconds until the line `hello` was read. */
  output: number;
  /** Milliseconds until the process had ended. */
  exit: number;
}

const folder = mkdtempSync(join(tmpdir(), 'uk-bench-'));
const env = { ...process.env, UK_STORE: join(folder, 'store') };

try {
  const hello = join(folder, 'hello');
  execFileSync('musl-gcc', ['-static', '-O2', join(root, 'test/programs/hello.c'), '-o', hello]);
  await uk(['build', '-t', 'hello:1', '--app', hello], { env });
  const inspected = JSON.parse(await uk(['inspect', '--json', 'hello:1'], { env })) as {
    layers: { role: string; size: number }[];
    kernel: { version: string };
  };

  const stock = stockKernel();
  const contestants: Record<string, string[]> = {
    'uk run hello (ring 0)': [UK, 'run', 'hello:1'],
    ...(stock === undefined ? {} : { [`QEMU with ${stock}`]: stockCommand(stock, hello) }),
    'uk --help': [UK, '--help'],
  };
  const measured = new Map<string, Measured[]>(Object.keys(contestants).map((name) => [name, []]));
  // One round that does not count: it finds out what the machine can do, and fills every cache.
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, command] of Object.entries(contestants)) {
      const time = await measure(command, name.startsWith('uk --help') ? 'Usage' : 'hello');
      if (round >= 0) measured.get(name)?.push(time);
    }
  }
  report(measured, inspected);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure([command = '', ...args]: string[], expected: string): Promise<Measured> {
  const begin = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let output = Number.NaN;
  child.stdout.on('data', (chunk) => {
    text += String(chunk);
    if (Number.isNaN(output) && text.includes(expected)) output = performance.now() - begin;
  });
  child.stderr.resume();
  await once(child, 'close');
  if (Number.isNaN(output)) throw new Error(`${command} ${args.join(' ')} did not say ${expected}: ${text}`);
  return { output, exit: performance.now() - begin };
}

/** Debian's kernel for clouds, as it boots there: compressed, with everything it may need. */
function stockKernel(): string | undefined {
  return readdirSync('/boot')
    .filter((name) => /^vmlinuz-.*-cloud-amd64$/.test(name))
    .sort()
    .at(-1);
}

/** The same program as the only process, on the same machine with the same processor, writing to the console. */
function stockCommand(kernel: string, hello: string): string[] {
  symlinkSync(hello, join(folder, 'init'));
  const initrd = join(folder, 'stock.cpio');
  execFileSync('sh', ['-c', `cd '${folder}' && echo init | cpio --quiet -L -o -H newc > '${initrd}'`]);
  return [
    'qemu-system-x86_64',
    ...['-M', 'microvm,acpi=off,rtc=on,auto-kernel-cmdline=on', '-accel', 'tcg', '-cpu', 'max,-erms,-fsrm'],
    ...['-m', '128M', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ...['-kernel', join('/boot', kernel), '-initrd', initrd],
    ...['-append', 'console=ttyS0 quiet rdinit=/init panic=-1 reboot=t'],
  ];
}

function report(
  measured: Map<string, Measured[]>,
  image: { layers: { role: string; size: number }[]; kernel: { version: string } },
): void {
  const rows = [...measured].map(([name, times]) => ({
    name,
    output: spread(times.map((time) => time.output)),
    exit: spread(times.map((time) => time.exit)),
  }));
  const [ours, stock] = rows;
  const ratio =
    ours === undefined || stock === undefined || rows.length < 3 ? undefined : ours.exit.median / stock.exit.median;
  const result = {
    machine: `${cpus().length} × ${cpus()[0]?.model}, ${arch()}, Linux ${release()}`,
    qemu: execFileSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' }).split('\n', 1)[0],
    accelerator: process.env.UK_ACCEL ?? 'auto',
    date: new Date().toISOString().slice(0, 10),
    rounds: ROUNDS,
    kernel: image.kernel.version,
    kernelLayerBytes: image.layers.find(({ role }) => role === 'kernel')?.size,
    milliseconds: rows,
    ratioToStock: ratio,
  };
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(result, null, 2));
    return;
  }
  console.log(
    `${result.machine}\n${result.qemu}, accelerator ${result.accelerator}, ${result.date}, ${ROUNDS} rounds\n`,
  );
  console.log('milliseconds: minimum, median, maximum'.padEnd(48), 'to output'.padEnd(22), 'to exit');
  for (const { name, output, exit } of rows) console.log(name.padEnd(48), show(output).padEnd(22), show(exit));
  console.log(`\nkernel ${result.kernel}, its layer ${result.kernelLayerBytes} bytes`);
  if (ratio === undefined)
    console.log('not compared: no Debian cloud kernel in /boot (apt-get install linux-image-cloud-amd64)');
  else console.log(`ours takes ${ratio.toFixed(2)} of the stock kernel's time, start to exit`);
}

interface Spread {
  minimum: number;
  median: number;
  maximum: number;
}

function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return { minimum: at(0), median: at(Math.floor(sorted.length / 2)), maximum: at(sorted.length - 1) };
}

function show({ minimum, median, maximum }: Spread): string {
  return [minimum, median, maximum].map((value) => value.toFixed(0)).join(' ');
}
