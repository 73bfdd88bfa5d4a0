// SPDX-License-Identifier: Apache-2.0
// `npm run bench:registry`: ours against its peers, in turn, on the same machine and data. `--help` says more.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTESTANTS, type Prepared } from './contestants.ts';
import { type Data, makeData, multiplyTags, pushData } from './data.ts';
import { type Idle, type Measured, rowsOf } from './figures.ts';
import { Load } from './load.ts';
import { watchingMemory } from './memory.ts';
import { type BenchOptions, readOptions } from './options.ts';
import { type About, machine, report } from './report.ts';
import type { RunningServer } from './running-server.ts';
import { type Cell, SCENARIOS, type Scenario } from './scenarios.ts';

const options = readOptions(process.argv.slice(2));
if (options !== undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'uk-bench-'));
  const running = new Set<RunningServer>();
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      for (const { pid } of running) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
      process.exit(status);
    });
  }
  try {
    await bench(options, folder, running);
  } finally {
    for (const server of running) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bench(options: BenchOptions, folder: string, running: Set<RunningServer>): Promise<void> {
  const { contestants, missing } = await prepare(options.servers);
  const data = makeData(options.manyTags);
  const load = new Load(folder);
  const scenarios = SCENARIOS.filter(({ name }) => options.scenarios.includes(name));
  const measured: Measured[] = [];
  const idle: Idle[] = [];

  const start = async (contestant: Prepared, storage: string): Promise<RunningServer> => {
    const server = await contestant.start(storage);
    running.add(server);
    return { ...server, stop: () => server.stop().then(() => void running.delete(server)) };
  };
  const storageOf = ({ name }: Prepared) => join(folder, name);
  const measure = async (scenario: Scenario, cell: Omit<Cell, 'load' | 'data'>, round: number): Promise<void> => {
    const whole = { ...cell, load, data };
    // A server that was just started is slower than it will be: that much of the cell does not count.
    await scenario.run({ ...whole, seconds: Math.min(1, cell.seconds / 2) });
    const { result, peak } = await watchingMemory(cell.server.memory, () => scenario.run(whole));
    if (round < 0) return;
    const { name } = cell.contestant;
    measured.push({ scenario: scenario.name, connections: cell.connections, server: name, round, peak, ...result });
  };

  for (const contestant of contestants) {
    say(`filling ${contestant.name}`);
    await fill(contestant, storageOf(contestant), data, start);
  }
  // One round that does not count: it finds out what the machine can do, and fills every cache.
  for (let round = -1; round < options.rounds; round += 1) {
    say(round < 0 ? 'warming up' : `round ${round + 1} of ${options.rounds}`);
    const seconds = round < 0 ? Math.min(0.5, options.seconds) : options.seconds;
    const servers = new Map<Prepared, RunningServer>();
    for (const contestant of contestants) servers.set(contestant, await start(contestant, storageOf(contestant)));
    const before = await memories(servers);
    for (const [scenario, connections] of cellsOf(scenarios, options, false)) {
      for (const [contestant, server] of servers) {
        if (scenario.needs !== undefined && !contestant.abilities.includes(scenario.needs)) continue;
        await measure(scenario, { contestant, server, connections, seconds }, round);
      }
    }
    const after = await memories(servers);
    for (const [{ name }, server] of servers) {
      await server.stop();
      if (round < 0) continue;
      idle.push({ server: name, round, before: before.get(name) ?? 0, after: after.get(name) ?? 0 });
    }
    for (const [scenario, connections] of cellsOf(scenarios, options, true)) {
      for (const contestant of contestants) {
        const storage = await mkdtemp(join(folder, 'pushed-'));
        const server = await start(contestant, storage);
        try {
          await measure(scenario, { contestant, server, connections, seconds }, round);
        } finally {
          await server.stop();
          await rm(storage, { recursive: true });
        }
      }
    }
  }

  const about: About = {
    machine: machine(),
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench:registry', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    rounds: options.rounds,
    seconds: options.seconds,
    servers: contestants.map(({ name, version }) => ({ name, version })),
    missing,
    manyTags: options.manyTags,
  };
  const rows = rowsOf(
    measured,
    scenarios,
    about.servers.map(({ name }) => name),
  );
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ ...about, measured, idle }, null, 2)}\n`);
  console.log(report(about, rows, idle));
}

async function prepare(names: readonly string[]): Promise<{ contestants: Prepared[]; missing: About['missing'] }> {
  const contestants: Prepared[] = [];
  const missing: About['missing'] = [];
  for (const contestant of CONTESTANTS.filter(({ name }) => names.includes(name))) {
    try {
      contestants.push(await contestant.prepare());
    } catch (error) {
      missing.push({
        name: contestant.name,
        why: error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : `${error}`,
      });
    }
  }
  return { contestants, missing };
}

/** Gives a server what all reading needs. */
async function fill(
  contestant: Prepared,
  storage: string,
  data: Data,
  start: (contestant: Prepared, storage: string) => Promise<RunningServer>,
): Promise<void> {
  const server = await start(contestant, storage);
  await pushData(server.url, data, contestant.abilities.includes('referrers'));
  await server.stop();
  multiplyTags(storage, contestant.layout, data);
}

function* cellsOf(scenarios: readonly Scenario[], options: BenchOptions, pushes: boolean) {
  for (const scenario of scenarios.filter((one) => (one.pushes ?? false) === pushes)) {
    for (const connections of scenario.connections === undefined ? options.connections : [scenario.connections]) {
      yield [scenario, connections] as const;
    }
  }
}

async function memories(servers: Map<Prepared, RunningServer>): Promise<Map<string, number>> {
  return new Map(
    await Promise.all([...servers].map(async ([{ name }, server]) => [name, await server.memory()] as const)),
  );
}

/** Where it stands; not among the results. */
function say(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
}
