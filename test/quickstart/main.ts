// SPDX-License-Identifier: Apache-2.0
// `npm run quickstart`: the whole way once, with Debian's nginx. It says each command before it runs it, works in a
// folder of its own, and stops and removes whatever it started, however it ends. With `--keep` the registry goes on
// afterwards, to be looked at, until Ctrl-C.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatReference, parseReference } from '../../image-format/index.ts';
import { openContentStore } from '../../image-format/layout/index.ts';
import { assemble, type Instance, sampleRegisters, startInstance } from '../../puller/index.ts';

const here = import.meta.dirname;
const root = resolve(here, '../..');
const UK = join(root, 'puller/cli/uk');
const READY_MS = 120_000;
const keep = process.argv.includes('--keep');

const folder = await mkdtemp(join(tmpdir(), 'uk-quickstart-'));
const builder = join(folder, 'builder');
const node = join(folder, 'node');
let registry: ChildProcess | undefined;
let instance: Instance | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void cleanUp().then(() => process.exit(130));
  });
}

try {
  const begin = performance.now();
  await show(['doctor'], builder, { mayFail: true });
  await show(['kernel', 'build'], builder);
  const host = await startRegistry();
  const reference = `${host}/nginx:1`;
  await show(
    [
      'build',
      '-t',
      reference,
      '--app',
      '/usr/sbin/nginx',
      '--add',
      `${join(here, 'nginx.conf')}:/etc/nginx/nginx.conf`,
      '--add',
      '/etc/nginx/mime.types:/etc/nginx/mime.types',
      '--add',
      `${join(here, 'site')}:/var/www`,
      '--add',
      `${await emptyFolder()}:/var/lib/nginx`,
      '--expose',
      '80',
    ],
    builder,
  );
  await show(['push', reference], builder);
  await show(['pull', reference], node);
  await serve(reference);
  const ended = keep ? 'The guest is stopped.' : 'Everything that was started is stopped.';
  console.log(`\nDone in ${((performance.now() - begin) / 1000).toFixed(1)} s. ${ended}`);
  if (keep) {
    console.log(
      `\nThe registry goes on: look at it with a browser, http://${host}/\nCtrl-C stops it and removes everything.`,
    );
    await new Promise((done) => registry?.once('close', done));
  }
} finally {
  await cleanUp();
}

/** Runs one command as a user would, after having said it. */
async function show(args: string[], store: string, { mayFail = false } = {}): Promise<void> {
  console.log(`\n$ uk ${args.map((word) => (/\s/.test(word) ? `'${word}'` : word)).join(' ')}`);
  const child = spawn(UK, args, {
    cwd: root,
    env: { ...process.env, UK_STORE: store },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const status = await new Promise((done, fail) => child.on('error', fail).on('close', done));
  if (status !== 0 && !mayFail) throw new Error(`uk ${args[0]} failed: exit ${status}`);
}

/** What nginx keeps request bodies in. */
async function emptyFolder(): Promise<string> {
  const path = join(folder, 'empty');
  await mkdir(path);
  return path;
}

async function startRegistry(): Promise<string> {
  const args = ['registry', 'serve', '--listen', '127.0.0.1:0', '--storage', join(folder, 'registry')];
  console.log(`\n$ uk ${args.join(' ')} &`);
  const child = spawn(UK, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  registry = child;
  let text = '';
  for await (const chunk of child.stdout) {
    text += String(chunk);
    const host = /http:\/\/(\S+)/.exec(text)?.[1];
    if (host === undefined) continue;
    console.log(text.trim());
    child.stdout.resume();
    return host;
  }
  throw new Error('the registry did not start');
}

/** Boots the image from the node's own store, fetches the page, and looks at the processor while nginx works. */
async function serve(reference: string): Promise<void> {
  console.log(`\n$ uk run -p 127.0.0.1:0:80 ${reference}`);
  const store = await openContentStore(node);
  const descriptor = await store.resolve(formatReference(parseReference(reference)));
  if (descriptor === undefined) throw new Error(`${reference} is not in ${node}`);
  const started = performance.now();
  instance = await startInstance(await assemble(store, descriptor), {
    stdout: process.stdout,
    stderr: process.stderr,
    forwards: [{ address: '127.0.0.1', host: 0, guest: 80, protocol: 'tcp' }],
    onEvent: (event) => {
      if (event.type === 'probing') console.log('finding out once how guests run best on this machine');
      if (event.type === 'machine') console.log(`machine: QEMU with ${event.choice.accelerator.kind}`);
      if (event.type === 'hello') {
        const { kernel, cpl, cpus } = event.hello;
        console.log(
          `guest: Linux ${kernel}, ${cpus} processor, init at privilege level ${cpl}, ${Math.round(event.ms)} ms`,
        );
      }
    },
  });
  const crashed = instance.outcome.then(({ status, kernelLog }) => {
    throw new Error(`nginx ended with status ${status}\n${kernelLog}`);
  });
  crashed.catch(() => {});
  const [forward] = await Promise.race([instance.forwards(), crashed]);
  const url = `http://127.0.0.1:${forward?.host}/`;
  const page = await Promise.race([fetchPage(url), crashed]);
  console.log(`page: ${url} answered ${Math.round(performance.now() - started)} ms after the start:`);
  console.log(page.trim().replace(/^/gm, '  '));
  if (page !== (await readFile(join(here, 'site/index.html'), 'utf8'))) throw new Error('that is another page');
  await showPrivilege(url, instance);
  instance.kill();
  await instance.outcome;
}

async function showPrivilege(url: string, { machine }: Instance): Promise<void> {
  const stop = new AbortController();
  const load = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) await (await fetch(url)).text();
    }),
  );
  // Awaited below; until then nobody else hears of a request that fails.
  load.catch(() => {});
  const samples = await sampleRegisters(machine, { timeoutMs: 60_000 }).finally(() => stop.abort());
  await load;
  const seen = samples.at(-1);
  if (seen?.application !== true) throw new Error('nginx was never seen at work');
  console.log(
    `privilege level: CPL ${seen.cpl} (seen from outside while nginx ran at 0x${seen.rip.toString(16)}, CS 0x${seen.cs.toString(16)})`,
  );
  if (seen.cpl !== 0) throw new Error('nginx did not run in ring 0');
}

/** User-mode networking accepts connections before the guest listens: ready means an answer. */
async function fetchPage(url: string): Promise<string> {
  const end = performance.now() + READY_MS;
  while (performance.now() < end) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      if (answer.ok) return await answer.text();
    } catch {
      // Not yet.
    }
    await delay(20);
  }
  throw new Error(`${url} did not answer`);
}

async function cleanUp(): Promise<void> {
  instance?.kill();
  await instance?.outcome.catch(() => {});
  if (registry !== undefined && registry.exitCode === null && registry.signalCode === null) {
    const gone = new Promise((done) => registry?.on('close', done));
    registry.kill('SIGTERM');
    await gone;
  }
  await rm(folder, { recursive: true, force: true });
}
