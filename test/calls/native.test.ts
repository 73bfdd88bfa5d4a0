// SPDX-License-Identifier: Apache-2.0
// The library on this machine, in ring 3: without the kernel's entry it does nothing; with one that is made of SYSCALL in
// its place all of it is at work, in real programs too. Wrong ones show that the checks can fail.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCalls } from '../../kernel-build/index.ts';
import { CHECKS, compileChecks, mutant, readOutcome, SIGNALS } from './programs.ts';

const has = (name: string, ...args: string[]) => spawnSync(name, args).status === 0;

let folder: string;
let real: string;
let fake: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'uk-calls-'));
  const there = mkdtempSync(join(folder, 'there-'));
  real = (await buildCalls(folder)).library;
  fake = (await buildCalls(there, { replaced: { 'entry.c': 'harness/fake-entry.S' } })).library;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(library: string | undefined, name: string, args: string[], input = '', only = '') {
  const env = {
    ...process.env,
    CHECKS: only,
    UK_CALLS_REPORT: '1',
    ...(library === undefined ? {} : { LD_PRELOAD: library }),
  };
  return spawnSync(name, args, { env, input, encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 26 });
}

const report = (stderr: string) => JSON.parse(/^\{"calls".*\}$/m.exec(stderr)?.[0] ?? '{}') as Record<string, unknown>;

test('the same sources give the same bytes', async () => {
  const other = mkdtempSync(join(folder, 'a-longer-name-'));
  const again = await buildCalls(other);
  expect(readFileSync(again.library).equals(readFileSync(real))).toBe(true);
});

test('it needs nothing that a C library might lack', () => {
  const symbols = execFileSync('nm', ['-D', '--undefined-only', real], { encoding: 'utf8' });
  expect(symbols.split('\n').filter((line) => line !== '' && !/^\s+w /.test(line))).toEqual([]);
  expect(execFileSync('readelf', ['-d', real], { encoding: 'utf8' })).not.toContain('(NEEDED)');
});

test('where there is no entry it does nothing', () => {
  const ran = run(real, '/bin/true', []);
  expect(ran.status).toBe(0);
  expect(report(ran.stderr)).toMatchObject({ calls: 'no entry', syscalls: 0 });
});

describe('with an entry in its place', () => {
  let checks: string;
  beforeAll(() => {
    checks = compileChecks(join(folder, 'checks'));
  });

  test('most of the calls of glibc are proven and replaced', () => {
    const counts = report(run(fake, '/bin/true', []).stderr);
    expect(counts).toMatchObject({ calls: 'patched', error: 0, notInstruction: 0, noRoom: 0 });
    expect(counts.proven).toBeGreaterThan(400);
  });

  test('the checks say nothing of themselves: without the library they go well, too', () => {
    const { failed, ok, ended, told } = readOutcome(run(undefined, checks, []).stdout);
    expect({ failed, ok, ended }).toEqual({ failed: [], ok: CHECKS, ended: true });
    expect(told.read).toBe('syscall');
  });

  test('all checks go well', () => {
    const { failed, ok, ended, told } = readOutcome(run(fake, checks, []).stdout);
    expect({ failed, ok, ended }).toEqual({ failed: [], ok: CHECKS, ended: true });
    const calls = { getppid: 'jump', read: 'jump', write: 'jump', vfork: 'syscall' };
    expect(told).toMatchObject({ ...calls, 'calls by the entry': 'some' });
  });

  test('the checks find it when stubs have no unwinding table', async () => {
    const there = mkdtempSync(join(folder, 'mutant-'));
    const replaced = { 'entry.c': 'harness/fake-entry.S', ...mutant(there, 'stubs.S', /^\t\.cfi_.*\n/gm, '') };
    const { library } = await buildCalls(there, { replaced });
    const { failed, ended } = readOutcome(run(library, checks, [], '', 'signals').stdout);
    expect({ failed: failed.map((line) => line.replace(/ \(.*/, '')), ended }).toEqual({
      failed: SIGNALS,
      ended: true,
    });
  });

  test.each(['rdi', 'rsi', 'rdx', 'r8', 'r9', 'r10'])('the checks find it when %s is lost', async (register) => {
    const there = mkdtempSync(join(folder, 'mutant-'));
    const lost = mutant(there, 'harness/fake-entry.S', /^\tjmp \*%r11\n/m, `\tmovq $7, %${register}\n$&`);
    const { library } = await buildCalls(there, { replaced: { 'entry.c': Object.values(lost)[0] ?? '' } });
    const { failed } = readOutcome(run(library, checks, [], '', 'registers').stdout);
    expect(failed).toEqual(['FAIL registers that SYSCALL keeps (3, errno 0)']);
  });

  test('a shell and what it starts', () => {
    const ran = run(fake, 'sh', ['-c', 'seq 1000 | sort -n | tail -1; cat | tr a-z A-Z'], 'input');
    expect(ran.stdout).toBe('1000\nINPUT');
  });

  test.skipIf(!has('python3', '--version'))('Python, its threads and processes (skipped without python3)', () => {
    const script = `
import hashlib, os, socket, subprocess, threading, signal, select, tempfile
a, b = socket.socketpair()
def serve():
    while data := b.recv(100): b.sendall(data.upper())
threads = [threading.Thread(target=lambda: [os.getppid() for _ in range(1000)]) for _ in range(4)] + [threading.Thread(target=serve)]
for t in threads: t.start()
for i in range(200):
    a.sendall(b'x%d' % i); assert a.recv(100) == b'X%d' % i
a.close(); [t.join() for t in threads]
signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, .01); signal.pause()
assert subprocess.run(['echo', 'x'], capture_output=True).stdout == b'x\\n'
with tempfile.TemporaryFile() as f:
    f.write(b'z' * 100000); f.seek(0); assert len(f.read()) == 100000
assert select.select([], [], [], .01) == ([], [], [])
print('well')`;
    const ran = run(fake, 'python3', ['-c', script]);
    expect(ran.stdout, ran.stderr).toBe('well\n');
  });

  const redis = has('redis-server', '--version');
  test.skipIf(!redis)('redis under its benchmark (skipped without redis-server)', async () => {
    const socket = join(folder, 'redis.sock');
    const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder, '--io-threads', '2'];
    const server = spawn('redis-server', args, { env: { ...process.env, LD_PRELOAD: fake } });
    const ended = once(server, 'exit');
    try {
      for await (const text of server.stdout) if (String(text).includes('ready to accept')) break;
      server.stdout.resume();
      const load = ['-s', socket, '-t', 'set,get,lpush', '-n', '5000', '-c', '20', '--csv'];
      const bench = run(fake, 'redis-benchmark', load);
      expect(bench.stdout.match(/^"(SET|GET|LPUSH)","\d/gm)).toHaveLength(3);
    } finally {
      server.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
  });
});
