// SPDX-License-Identifier: Apache-2.0
// Programs that bring a runtime: each does in one run what programs of its kind usually do.
import type { Recipe } from '../recipe.ts';
import { TREE } from './tree.ts';

const debian: Recipe = {
  name: 'debian',
  shows: 'a whole Debian, its package database checked against its files',
  from: 'debian',
  steps: [{ run: 'useradd -m -u 1234 -G adm reader && ln -s /etc/debian_version /home/reader/version' }],
  config: { Cmd: ['bash'], Labels: { 'org.opencontainers.image.title': 'Debian' } },
  checks: [
    { ...TREE, stdout: /^[0-9a-f]{32} {2}-\n[0-9a-f]{32} {2}-\n$/ },
    {
      title: 'a script on standard input',
      input: 'cat /etc/debian_version | cut -d. -f1\nexit 4\n',
      stdout: '12\n',
      status: 4,
    },
    {
      title: 'a user that was added, by su',
      args: ['su', 'reader', '-c', 'id -Gn; cut -c 1-2 ~/version'],
      stdout: 'reader adm\n12\n',
    },
  ],
};

const python: Recipe = {
  name: 'python',
  shows: 'threads, processes, sqlite, an event loop',
  from: 'debian',
  steps: [
    { install: ['python3'] },
    { files: [{ path: '/app/tasks.py', copy: 'tasks.py' }] },
    { run: 'rm -rf /usr/share/doc /usr/share/man && useradd -r -d /app app && install -d -o app /app/data' },
  ],
  config: {
    Entrypoint: ['python3'],
    Cmd: ['/app/tasks.py'],
    User: 'app',
    WorkingDir: '/app/data',
    Env: { PYTHONUNBUFFERED: '1', PYTHONHASHSEED: '0' },
  },
  checks: [
    {
      title: 'threads, subprocess, sqlite, multiprocessing, asyncio',
      stdout: [
        'threads: 8 counted 80000',
        'subprocess: a b c, 3',
        'sqlite: 10000 rows, 50005000',
        'processes: 1 4 9 16',
        'asyncio: 20 answers',
        'file locks: second refused',
        'user app in /app/data',
        '',
      ].join('\n'),
    },
    {
      title: 'a program on standard input',
      args: ['-'],
      input: 'print(sum(range(10**6)))\nraise SystemExit(5)\n',
      stdout: '499999500000\n',
      status: 5,
    },
    { title: 'a program that fails', args: ['-c', '1/0'], stdout: '', status: 1 },
  ],
};

const node: Recipe = {
  name: 'node',
  shows: 'a just-in-time compiler, worker threads, an HTTP server',
  from: 'debian',
  steps: [
    { install: ['nodejs'] },
    {
      files: [
        { path: '/app/tasks.mjs', copy: 'tasks.mjs' },
        { path: '/app/server.mjs', copy: 'server.mjs' },
      ],
    },
    { remove: ['/usr/share/doc', '/usr/share/man'] },
  ],
  config: {
    Entrypoint: ['node'],
    Cmd: ['server.mjs'],
    WorkingDir: '/app',
    Env: { NODE_ENV: 'production' },
    ExposedPorts: ['3000/tcp'],
  },
  checks: [
    {
      title: 'workers, processes, files, compression, sockets',
      args: ['tasks.mjs'],
      memory: '512M',
      stdout: [
        'workers: 832040 832040 832040 832040',
        'child: HELLO, 7',
        'file: 1000000 bytes, d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025',
        'gzip: smaller and back',
        'http: 50 answers of /n',
        '',
      ].join('\n'),
      status: 12,
    },
    {
      title: 'an HTTP server that ends by SIGTERM',
      memory: '512M',
      request: { port: 3000, send: 'GET /hello HTTP/1.0\r\n\r\n', answer: /200 OK[\s\S]*node says \/hello production/ },
      stdout: 'listening\nended\n',
    },
  ],
};

const jvm: Recipe = {
  name: 'jvm',
  shows: 'a large runtime of mapped files, with a compiler and a collector of its own',
  from: 'debian',
  steps: [
    { install: ['default-jre-headless'] },
    { install: ['ecj'] },
    { files: [{ path: '/app/Tasks.java', copy: 'Tasks.java' }] },
    { run: 'cd /app && ecj -17 -proc:none -d /app Tasks.java' },
    {
      run: 'apt-get -q -y purge ecj && apt-get -q -y autoremove --purge && rm -rf /usr/share/doc /var/log/apt /var/cache/apt/*.bin',
    },
  ],
  config: { Entrypoint: ['java', '-Xmx128m', '-cp', '/app'], Cmd: ['Tasks'], WorkingDir: '/app' },
  checks: [
    {
      title: 'threads, collections, files, sockets, an own process',
      memory: '768M',
      stdout: [
        'threads: 16 summed 1600000',
        'collected: yes',
        'file: 2000 lines',
        'socket: echo',
        'process: from a shell',
        'stream: 333283335000',
        '',
      ].join('\n'),
      status: 3,
    },
    TREE,
    { title: 'its version', args: ['--version'], memory: '768M', stdout: /^openjdk 17\./, sameStdout: true },
  ],
};

const go: Recipe = {
  name: 'go',
  shows: 'a static program with a scheduler of its own, alone in its image',
  from: 'scratch',
  steps: [{ files: [{ path: '/server', compile: 'main.go', compiler: 'go' }] }],
  config: { Entrypoint: ['/server'], ExposedPorts: ['8080/tcp'], User: '65534:65534' },
  checks: [
    {
      title: 'goroutines, channels, HTTP to itself',
      args: ['tasks'],
      stdout: 'goroutines: 1000 summed 499500\nhttp: 100 answers\nuid 65534\n',
      status: 5,
    },
    {
      title: 'an HTTP server that ends by SIGTERM',
      request: {
        port: 8080,
        send: 'GET /from-outside HTTP/1.0\r\n\r\n',
        answer: /200 OK[\s\S]*go says \/from-outside/,
      },
      stdout: 'ended\n',
    },
  ],
};

export const LANGUAGES: readonly Recipe[] = [debian, python, node, jvm, go];
