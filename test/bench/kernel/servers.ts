// SPDX-License-Identifier: Apache-2.0
// Real servers: redis asked by redis-benchmark, nginx by wrk, both in the guest.
import { existsSync } from 'node:fs';
import { callingCompiler, fromSource, SOURCES } from './compilers.ts';
import type { Contestant } from './contestants.ts';
import { runGuest } from './guest.ts';
import { compile } from './programs.ts';
import { type Bench, figure, median, type Section } from './section.ts';
import { type Job, serverInitrd } from './server-guest.ts';

/** Servers whose programs are built here are small; Debian's come with many libraries. */
const MEMORY = 256;
const CONNECTIONS = 16;
const REDIS_REQUESTS = 4_000;
const NGINX_SECONDS = 3;
/** On a processor whose instructions are counted, time is the guest's: enough for many thousand requests. */
const COUNTED_SECONDS = 1;
/** redis-benchmark takes the time in milliseconds. */
const COUNTED_REQUESTS = 20_000;
const ROUNDS_MAX = 3;

type ServerName = 'redis' | 'nginx';

interface Entrant {
  server: ServerName;
  /** Whose build it is. */
  build: string;
  program: string;
  kernel: Contestant;
  /** How it calls the kernel. */
  calls: string;
}

/** Names of figures (`GET`) and requests a second. */
type Rates = Record<string, number>;

export async function servers({ kernels, folder, rounds, say }: Bench): Promise<Section> {
  const notes: string[] = [];
  const deaths: string[] = [];
  const entrants = await findEntrants(kernels.ring3, kernels.ring0, say, notes);
  const init = await compile('serve.c', folder);
  const initrds = new Map<string, string>();
  for (const { server, build, program } of entrants) {
    for (const counted of [false, true]) {
      const name = initrdName(server, build, counted);
      if (!initrds.has(name)) initrds.set(name, await serverInitrd(name, jobOf(server, program, counted), init));
    }
  }
  const initrdFor = ({ server, build }: Entrant, counted: boolean): string =>
    initrds.get(initrdName(server, build, counted)) ?? '';

  const measured = new Map<Entrant, Rates[]>(entrants.map((entrant) => [entrant, []]));
  const turns = Math.min(rounds, ROUNDS_MAX);
  for (let round = 0; round < turns; round += 1) {
    for (const [entrant, rates] of measured) {
      say(`servers: round ${round + 1} of ${turns}: ${describe(entrant)}`);
      const work = () => ratesOf(entrant, initrdFor(entrant, false), false);
      rates.push(await surviving(work, describe(entrant), deaths));
    }
  }
  const counted = new Map<Entrant, Rates>();
  for (const entrant of entrants) {
    say(`servers: instructions: ${describe(entrant)}`);
    const work = () => ratesOf(entrant, initrdFor(entrant, true), true);
    counted.set(entrant, await surviving(work, `${describe(entrant)}, counted`, deaths));
  }

  const rows = entrants.flatMap((entrant) =>
    Object.keys(counted.get(entrant) ?? {}).map((what) => {
      const rate = (of: Entrant): number => median((measured.get(of) ?? []).map((one) => one[what] ?? Number.NaN));
      const cost = (of: Entrant): number => 1e9 / (counted.get(of)?.[what] ?? Number.NaN);
      const peer = entrants.find(({ server, build, kernel }) => {
        return server === entrant.server && build === entrant.build && kernel === kernels.ring3;
      });
      return [
        `${entrant.server} (${entrant.build}), ${what}`,
        `${entrant.kernel.name}, ${entrant.calls}`,
        figure(rate(entrant)),
        peer === undefined ? '–' : figure(rate(entrant) / rate(peer), 2),
        figure(cost(entrant)),
        peer === undefined ? '–' : figure(cost(peer) / cost(entrant), 2),
      ];
    }),
  );
  return {
    title: 'Real servers',
    how:
      `redis asked by redis-benchmark, nginx by wrk for a small file, ${CONNECTIONS} connections, no pipelining. Server and client are ` +
      'in one guest with 2 processors, on its loopback: through QEMU’s user network every byte passes a TCP of QEMU’s on a ' +
      'thread of the host, which would be most of what is measured. The client is always Debian’s and uses SYSCALL, so it ' +
      `gains from ring 0 too, but not from calls. Requests a second: median of ${turns} rounds in turn. Instructions: of server, client and ` +
      'kernel together for one request, 1 processor, `-icount`: the same in each run.',
    tables: [
      {
        head: ['', 'kernel, system calls by', 'requests/s', '× ring 3', 'instructions a request', '× ring 3, fewer'],
        rows,
      },
    ],
    notes: [
      ...notes,
      ...(deaths.length === 0
        ? []
        : [`**Guests that died, and were run once more: ${deaths.length}.** ${[...new Set(deaths)].join('; ')}.`]),
      'What the emulator hides here: it takes a dozen host instructions or more for each of the guest’s and none for what a ' +
        'processor does in a change of rings, so the share of system calls is smaller than on hardware. Both kernels have no ' +
        'mitigations and no page table isolation. Loopback has no interrupts and no exits to a hypervisor.',
    ],
    goals: [],
  };
}

/** What can be had on this machine; what cannot is said in the notes. */
async function findEntrants(
  ring3: Contestant,
  ring0: Contestant,
  say: (text: string) => void,
  notes: string[],
): Promise<Entrant[]> {
  const found: Entrant[] = [];
  const calling = await callingCompiler();
  if (calling === undefined)
    notes.push(
      'Servers whose system calls are function calls are left out: `uk libc build` gives no compiler, and $RING0_MUSL_GCC names none.',
    );
  for (const [server, path, client] of [
    ['redis', '/usr/bin/redis-server', CLIENTS.redis],
    ['nginx', '/usr/sbin/nginx', CLIENTS.nginx],
  ] as const) {
    if (!existsSync(client)) {
      notes.push(`${server} is left out: no ${client}; sh test/setup/debian.sh bench installs it.`);
      continue;
    }
    const add = (build: string, program: string, kernel: Contestant, calls: string): void => {
      found.push({ server, build, program, kernel, calls });
    };
    if (existsSync(path)) {
      add('Debian, glibc', path, ring3, 'SYSCALL');
      add('Debian, glibc', path, ring0, 'SYSCALL');
    } else notes.push(`Debian’s ${server} is left out: no ${path}; sh test/setup/debian.sh bench installs it.`);
    try {
      const plain = await fromSource(SOURCES[server], 'musl-gcc', say);
      add('static, musl', plain, ring3, 'SYSCALL');
      add('static, musl', plain, ring0, 'SYSCALL');
      if (calling !== undefined) {
        add('static, ring0-musl', await fromSource(SOURCES[server], calling, say), ring0, 'call');
      }
    } catch (error) {
      notes.push(
        `${server} from source is left out: ${error instanceof Error ? error.message.split('\n', 1)[0] : error}`,
      );
    }
  }
  return found;
}

const CLIENTS: Readonly<Record<ServerName, string>> = { redis: '/usr/bin/redis-benchmark', nginx: '/usr/bin/wrk' };

const FILES: Readonly<Record<ServerName, Record<string, string>>> = {
  redis: { '/redis.conf': 'save ""\nbind 127.0.0.1\n' },
  nginx: {
    '/nginx.conf': `user root;
worker_processes 1;
daemon off;
master_process off;
error_log /dev/null;
pid /tmp/nginx.pid;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path /tmp/body;
	proxy_temp_path /tmp/proxy;
	fastcgi_temp_path /tmp/fastcgi;
	uwsgi_temp_path /tmp/uwsgi;
	scgi_temp_path /tmp/scgi;
	server { listen 127.0.0.1:80; root /www; }
}
`,
    '/www/index.html': `${'hello '.repeat(100)}\n`,
    '/etc/passwd': 'root:x:0:0::/:/\n',
    '/etc/group': 'root:x:0:\n',
  },
};

function jobOf(server: ServerName, program: string, counted: boolean): Job {
  const files = FILES[server];
  if (server === 'redis') {
    const asks = [
      '-h',
      '127.0.0.1',
      '-c',
      `${CONNECTIONS}`,
      '-n',
      `${counted ? COUNTED_REQUESTS : REDIS_REQUESTS}`,
      '-t',
      'set,get',
      '-q',
      '--csv',
    ];
    return { port: 6379, server: [program, '/redis.conf'], client: [CLIENTS.redis, ...asks], files };
  }
  const seconds = counted ? COUNTED_SECONDS : NGINX_SECONDS;
  const asks = ['-t', '1', '-c', `${CONNECTIONS}`, '-d', `${seconds}s`, 'http://127.0.0.1:80/'];
  return { port: 80, server: [program, '-c', '/nginx.conf'], client: [CLIENTS.nginx, ...asks], files };
}

async function ratesOf({ server, kernel }: Entrant, initrd: string, counted: boolean): Promise<Rates> {
  const { text } = await runGuest({
    kernel,
    initrd,
    memory: MEMORY,
    cpus: counted ? 1 : 2,
    countInstructions: counted,
  });
  const found =
    server === 'redis'
      ? [...text.matchAll(/^"(SET|GET)[^"]*","([0-9.]+)"/gm)]
      : [...text.matchAll(/^(Requests)\/sec: +([0-9.]+)/gm)];
  const rates = Object.fromEntries(found.map(([, what = '', rate]) => [what, Number(rate)]));
  if (!text.includes('done: 1') || found.length === 0)
    throw new Error(`${server} on ${kernel.name}: ${text.slice(-20_000)}`);
  if (/Socket errors|Non-2xx/.test(text))
    throw new Error(`${server} on ${kernel.name} answers badly: ${text.slice(-20_000)}`);
  return rates;
}

/** What a guest that died said of it; it is run once more, as one death should not cost all other figures. */
async function surviving(work: () => Promise<Rates>, what: string, deaths: string[]): Promise<Rates> {
  for (let last = false; ; last = true) {
    try {
      return await work();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const why =
        /(?:int3|Oops|BUG|general protection fault|kernel stack|problem)[^\n\r]*/.exec(text)?.[0] ?? text.slice(-300);
      deaths.push(`${what}: ${why.trim()}`);
      if (last) return {};
    }
  }
}

const initrdName = (server: string, build: string, counted: boolean): string =>
  `${server}-${build.replace(/\W+/g, '-')}${counted ? '-counted' : ''}`;

const describe = ({ server, build, kernel, calls }: Entrant): string =>
  `${server} (${build}), ${kernel.name}, ${calls}`;
