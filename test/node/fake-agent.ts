// SPDX-License-Identifier: Apache-2.0
// Stands in for the agent of a guest (docs/guest-contract.md, "The agent"), a well-behaved one and hostile ones.
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import {
  AGENT,
  type AgentFrame,
  AgentFrameDecoder,
  DATA_MAX,
  encodeAgentFrame,
  encodeAgentRecords,
  OPEN_MAX,
  recordsOf,
} from '../../puller/guest-contract/agent-frames.ts';
import { numberOf, type Records, recordOf } from '../../puller/guest-contract/frames.ts';

/** Runs what it is asked for as processes of this machine, where it behaves. */
export class FakeAgent {
  readonly #port: Socket;
  readonly #kind: () => string;
  readonly #sessions = new Map<
    number,
    { kill(signal: NodeJS.Signals | number): void; input(bytes: Buffer | undefined): void; credit(n: number): void }
  >();

  constructor(port: Socket, kind: () => string) {
    this.#port = port;
    this.#kind = kind;
    const decoder = new AgentFrameDecoder(OPEN_MAX);
    port.on('error', () => {});
    port.on('data', (chunk: Buffer) => {
      for (const frame of decoder.push(chunk)) this.#receive(frame);
    });
  }

  #send(type: number, session: number, records: Records): void {
    this.#port.write(encodeAgentRecords(type, session, records));
  }

  #receive(frame: AgentFrame): void {
    const { session, type, payload } = frame;
    if (type === AGENT.open) {
      this.#open(session, recordsOf(frame).records);
      return;
    }
    const found = this.#sessions.get(session);
    if (type === AGENT.input) found?.input(payload);
    if (type === AGENT.inputEnd) found?.input(undefined);
    if (type === AGENT.close) found?.kill('SIGKILL');
    if (type === AGENT.signal) found?.kill(numberOf({ type, ...recordsOf(frame) }, 'number'));
    if (type === AGENT.credit) found?.credit(numberOf({ type, ...recordsOf(frame) }, 'bytes'));
  }

  #open(id: number, records: Records): void {
    switch (this.#kind()) {
      case 'silent':
        return;
      case 'deaf':
        this.#port.pause();
        return;
      case 'huge-frame':
        this.#port.write(Buffer.from([0xff, 0xff, 0xff, 0x7f, 103, 0, id & 0xff, id >> 8]));
        return;
      case 'noise':
        this.#port.write(Buffer.alloc(200_000, 'no frame at all '));
        return;
      case 'overdraw':
        this.#send(AGENT.opened, id, [['pid', '3']]);
        this.#flood(id, AGENT.output);
        return;
      case 'stray':
        this.#flood(id ^ 0x5555, AGENT.output);
        return;
      case 'unknown-types':
        this.#flood(id, 250);
        return;
      case 'output-before-start':
        this.#port.write(encodeAgentFrame(AGENT.output, id, Buffer.from('early')));
        return;
      case 'exit-before-start':
        this.#send(AGENT.exit, id, [['status', '0']]);
        return;
      case 'twice-opened':
        this.#send(AGENT.opened, id, [['pid', '3']]);
        this.#send(AGENT.opened, id, [['pid', '3']]);
        return;
      case 'too-much-credit':
        this.#send(AGENT.opened, id, [['pid', '3']]);
        this.#send(AGENT.creditBack, id, [['bytes', '1']]);
        return;
      case 'no-numbers':
        this.#send(AGENT.opened, id, [['pid', 'three']]);
        return;
      case 'control-characters':
        this.#send(AGENT.failed, id, [
          ['status', '126'],
          ['message', '\x1b[2J\x1b]0;owned\x07\u202egnp.exe'],
        ]);
        return;
      case 'hangs':
        this.#send(AGENT.opened, id, [['pid', '3']]);
        return;
      case 'archive':
        this.#sendArchive(id, records);
        return;
    }
    if (recordOf({ records }, 'kind') === 'exec') this.#run(id, records);
    else {
      this.#send(AGENT.failed, id, [
        ['status', '125'],
        ['message', 'this guest does not know how to do that'],
      ]);
    }
  }

  #flood(id: number, type: number): void {
    const frame = encodeAgentFrame(type, id, Buffer.alloc(DATA_MAX, 'x'));
    const more = (): void => {
      while (!this.#port.destroyed && this.#port.write(frame));
      this.#port.once('drain', more);
    };
    more();
  }

  /** Whatever is asked for: an archive in base64 that the test has put into the variable ARCHIVE. */
  #sendArchive(id: number, records: Records): void {
    this.#send(AGENT.opened, id, [['pid', '3']]);
    const kind = recordOf({ records }, 'kind');
    const bytes =
      kind === 'path'
        ? Buffer.from('own directory\nleads-to directory\n')
        : Buffer.from(process.env.UK_FAKE_ARCHIVE ?? '', 'base64');
    this.#port.write(encodeAgentFrame(AGENT.output, id, bytes));
    this.#send(AGENT.exit, id, [['status', '0']]);
  }

  #run(id: number, records: Records): void {
    const valuesOf = (wanted: string): string[] => records.filter(([key]) => key === wanted).map(([, value]) => value);
    const [command = '', ...args] = valuesOf('arg');
    const env = Object.fromEntries(valuesOf('env').map((text) => text.split(/=(.*)/s, 2)));
    let credit = Number(recordOf({ records }, 'credit'));
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, UK_STORE: process.env.UK_STORE, ...env },
      stdio: 'pipe',
    });
    const [out, error] = [child.stdout, child.stderr];
    this.#sessions.set(id, {
      kill: (signal) => void child.kill(signal),
      input: (bytes) => {
        if (bytes === undefined) child.stdin.end();
        else {
          child.stdin.write(bytes, () => this.#send(AGENT.creditBack, id, [['bytes', String(bytes.length)]]));
        }
      },
      credit: (more) => {
        credit += more;
        pump();
      },
    });
    const pump = (): void => {
      for (const [stream, type] of [[out, AGENT.output] as const, [error, AGENT.error] as const]) {
        while (credit > 0) {
          const size = Math.min(credit, DATA_MAX, stream.readableLength);
          const bytes = size > 0 ? (stream.read(size) as Buffer | null) : null;
          if (bytes === null) break;
          credit -= bytes.length;
          this.#port.write(encodeAgentFrame(type, id, bytes));
        }
        // Its end is seen by reading.
        if (stream.readableLength === 0) stream.read(0);
      }
    };
    out.on('readable', pump);
    error.on('readable', pump);
    child.stdin.on('error', () => {});
    child.on('spawn', () => {
      this.#send(AGENT.opened, id, [['pid', String(child.pid)]]);
      if (!records.some(([key, value]) => key === 'stdin' && value === '1')) child.stdin.end();
    });
    child.on('error', (failure) => {
      this.#sessions.delete(id);
      this.#send(AGENT.failed, id, [
        ['status', '127'],
        ['message', failure.message],
      ]);
    });
    child.on('close', (code, signal) => {
      this.#sessions.delete(id);
      const number = signal === null ? undefined : constants.signals[signal];
      if (number !== undefined) this.#send(AGENT.exit, id, [['signal', String(number)]]);
      else this.#send(AGENT.exit, id, [['status', String(code)]]);
    });
  }
}
