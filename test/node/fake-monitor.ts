// SPDX-License-Identifier: Apache-2.0
// Stands in for QEMU: the same arguments and descriptors, and a "guest" that keeps to docs/guest-contract.md. It starts in
// a fraction of a guest's time, so that tests can do hundreds of starts and kills. The first argument of the program says
// what it does.
import { createServer } from 'node:http';
import { Socket } from 'node:net';
import {
  encodeFrame,
  FRAME,
  type Frame,
  FrameDecoder,
  numberOf,
  recordOf,
} from '../../puller/guest-contract/frames.ts';
import { DESCRIPTOR } from '../../puller/vmm/qemu/arguments.ts';
import { FakeAgent } from './fake-agent.ts';

if (process.argv.includes('--version')) {
  console.log('QEMU emulator version 10.0.0');
  process.exit(0);
}

const argv = process.argv.slice(2);
const uuid = argv[argv.indexOf('-uuid') + 1] ?? '';
const forwards = [...(argv[argv.indexOf('-netdev') + 1] ?? '').matchAll(/hostfwd=tcp:([^:]*):(\d+)-:(\d+)/g)].map(
  ([, address, host, guest]) => ({ address, host: Number(host), guest: Number(guest) }),
);

const control = new Socket({ fd: DESCRIPTOR.control });
const stdout = new Socket({ fd: DESCRIPTOR.stdout });
const stderr = new Socket({ fd: DESCRIPTOR.stderr });
const qmp = new Socket({ fd: DESCRIPTOR.qmp });
const written = { stdout: 0, stderr: 0 };
const decoder = new FrameDecoder();

function send(type: number, records: [string, string][]): void {
  control.write(encodeFrame({ type, records }));
}

function write(text: string, name: 'stdout' | 'stderr' = 'stdout'): void {
  written[name] += Buffer.byteLength(text);
  (name === 'stdout' ? stdout : stderr).write(text);
}

function exit(end: { status: number } | { signal: number }): void {
  const how: [string, string][] =
    'status' in end
      ? [['status', String(end.status)]]
      : [
          ['signal', String(end.signal)],
          ['core', '0'],
        ];
  send(FRAME.exit, [...how, ['stdout', String(written.stdout)], ['stderr', String(written.stderr)]]);
}

if (argv.some((argument) => argument.includes('name=uk.agent'))) {
  // What it does is the program's second argument: the image's own name for a guest that lies.
  new FakeAgent(new Socket({ fd: DESCRIPTOR.agent }), () => agentKind);
}

let agentKind = '';
let kind = '';
let ended = false;
const timers: NodeJS.Timeout[] = [];

function run([what = 'sleep', ...rest]: string[]): void {
  kind = what;
  if (what === 'agent') agentKind = rest[0] ?? '';
  switch (what) {
    case 'echo':
      write(`${rest.join(' ')}\n`);
      write('and an error\n', 'stderr');
      exit({ status: 0 });
      return;
    case 'exit':
      exit({ status: Number(rest[0]) });
      return;
    case 'fail-after':
      timers.push(setTimeout(() => exit({ status: 1 }), Number(rest[0])));
      return;
    case 'missing':
      send(FRAME.failure, [
        ['stage', 'exec'],
        ['errno', '2'],
        ['message', 'cannot run /missing: No such file or directory'],
      ]);
      exit({ status: 127 });
      return;
    case 'crash':
      console.log('Kernel panic - not syncing: a test');
      process.exit(0);
      break;
    case 'ticks': {
      let count = 0;
      timers.push(setInterval(() => write(`tick ${count++}\n`), 20));
      return;
    }
    case 'serve':
      for (const { address, host, guest } of forwards) {
        const server = createServer((request, response) => {
          response.statusCode = request.url === '/sick' ? 500 : 200;
          response.end(`port ${guest}\n`);
        });
        server.listen(host, address, () => {
          const at = server.address();
          const forward = forwards.find((one) => one.guest === guest && one.host === host);
          if (forward !== undefined && typeof at === 'object' && at !== null) forward.host = at.port;
        });
      }
  }
}

function received(frame: Frame): void {
  switch (frame.type) {
    case FRAME.start: {
      const args = frame.records.filter(([key]) => key === 'arg').map(([, value]) => value);
      if (args[1] === 'slow-boot') {
        timers.push(setTimeout(() => begin(['sleep']), 60_000));
        return;
      }
      begin(args.slice(1));
      return;
    }
    case FRAME.ping:
      if (kind !== 'deaf') {
        const tsc = String(process.hrtime.bigint());
        send(FRAME.pong, [
          ['id', recordOf(frame, 'id') ?? ''],
          ['tsc', tsc],
        ]);
      }
      return;
    case FRAME.signal: {
      const number = numberOf(frame, 'number');
      if (ended || kind === 'deaf' || (kind === 'stubborn' && number !== 9)) return;
      ended = true;
      for (const timer of timers) clearTimeout(timer);
      exit(kind === 'polite' ? { status: 0 } : { signal: number });
      return;
    }
  }
}

function begin(args: string[]): void {
  if (args[0] !== 'missing') send(FRAME.started, [['pid', '2']]);
  run(args);
}

send(FRAME.hello, [
  ['contract', '2'],
  ...(process.env.UK_FAKE_AGENT === 'none' ? [] : [['agent', '1'] as [string, string]]),
  ['kernel', 'fake'],
  ['cpl', '0'],
  ['cpus', '1'],
  ['memory', '67108864'],
]);
control.on('data', (chunk) => {
  for (const frame of decoder.push(chunk)) received(frame);
});
// The guest is tethered to its control port.
control.on('close', () => process.exit(0));
for (const socket of [control, stdout, stderr, qmp]) socket.on('error', () => process.exit(0));

qmp.write('{"QMP": {}}\n');
let asked = '';
qmp.setEncoding('utf8').on('data', (text: string) => {
  asked += text;
  const lines = asked.split('\n');
  asked = lines.pop() ?? '';
  for (const line of lines.filter((one) => one !== '')) {
    const { id, execute, arguments: given } = JSON.parse(line);
    const command = execute === 'human-monitor-command' ? given['command-line'] : undefined;
    const network = forwards.map(
      ({ address, host, guest }) => `  TCP[HOST_FORWARD]  13  ${address} ${host}  10.0.2.15  ${guest}  0  0`,
    );
    const answers: Record<string, string> = {
      'info uuid': `${uuid}\r\n`,
      'info usernet': network.join('\r\n'),
      'info status': 'VM status: running',
    };
    qmp.write(`${JSON.stringify({ id, return: command === undefined ? {} : (answers[command] ?? '') })}\n`);
  }
});
