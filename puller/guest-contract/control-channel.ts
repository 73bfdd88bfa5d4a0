// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import {
  encodeFrame,
  FRAME,
  type Frame,
  FrameDecoder,
  numberOf,
  type Records,
  recordOf,
  wholeNumberOf,
} from './frames.ts';
import { encodeStart, type Start, type TerminalSize } from './start.ts';

/** The contract's versions that this node speaks. */
export const CONTRACT_VERSIONS: readonly number[] = [1, 2];

export interface Hello {
  contract: number;
  /** Kernel release. */
  kernel: string;
  /** The privilege level that the guest's user code runs at: 0 in ring-0 mode. */
  cpl: number;
  cpus: number;
  /** Bytes. */
  memory: number;
  /** Version of its agent; 0 where it has none. */
  agent: number;
}

export type ProgramEnd = { status: number } | { signal: number; core: boolean };

export interface Exit {
  end: ProgramEnd;
  /** Bytes that the guest has sent in all. */
  stdout: number;
  stderr: number;
}

export interface Failure {
  stage: string;
  errno: number;
  message: string;
}

interface Events {
  hello: [Hello];
  started: [pid: number];
  failure: [Failure];
  exit: [Exit];
  pong: [{ id: string; tsc: bigint }];
  /** The guest broke the contract; nothing more is read. */
  error: [Error];
  /** The monitor has closed the port: nothing more can come. */
  close: [];
}

/** The control port as messages. */
export class ControlChannel extends EventEmitter<Events> {
  readonly #port: Duplex;
  readonly #decoder = new FrameDecoder();

  constructor(port: Duplex) {
    super();
    this.#port = port;
    port.on('data', (chunk: Buffer) => this.#receive(chunk));
    port.on('close', () => this.emit('close'));
    // A monitor that has ended resets its sockets. That it ended is what matters, and shows elsewhere.
    port.on('error', () => {});
  }

  /** @param start what is to run, or what {@link encodeStart} made of it */
  start(start: Start | Buffer): void {
    this.#write(Buffer.isBuffer(start) ? start : encodeStart(start));
  }

  signal(number: number): void {
    this.#send(FRAME.signal, [['number', String(number)]]);
  }

  /** @param bytes how many were written to the standard input in all */
  stdinEnd(bytes: number): void {
    this.#send(FRAME.stdinEnd, [['bytes', String(bytes)]]);
  }

  /** The size of the program's terminal, where it has one. */
  resize({ rows, columns }: TerminalSize): void {
    this.#send(FRAME.resize, [
      ['rows', String(rows)],
      ['columns', String(columns)],
    ]);
  }

  ping(id: string): void {
    this.#send(FRAME.ping, [['id', id]]);
  }

  #send(type: number, records: Records): void {
    this.#write(encodeFrame({ type, records }));
  }

  #write(bytes: Buffer): void {
    if (this.#port.writable) this.#port.write(bytes);
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#dispatch(frame);
    } catch (error) {
      this.#port.removeAllListeners('data');
      this.emit('error', error as Error);
    }
  }

  #dispatch(frame: Frame): void {
    switch (frame.type) {
      case FRAME.hello:
        this.emit('hello', {
          contract: numberOf(frame, 'contract'),
          kernel: recordOf(frame, 'kernel') ?? '',
          cpl: numberOf(frame, 'cpl'),
          cpus: numberOf(frame, 'cpus'),
          memory: numberOf(frame, 'memory'),
          agent: recordOf(frame, 'agent') === undefined ? 0 : numberOf(frame, 'agent'),
        });
        return;
      case FRAME.started:
        this.emit('started', numberOf(frame, 'pid'));
        return;
      case FRAME.failure:
        this.emit('failure', {
          stage: recordOf(frame, 'stage') ?? '',
          errno: numberOf(frame, 'errno'),
          message: recordOf(frame, 'message') ?? '',
        });
        return;
      case FRAME.exit:
        this.emit('exit', { end: endOf(frame), stdout: numberOf(frame, 'stdout'), stderr: numberOf(frame, 'stderr') });
        return;
      case FRAME.pong:
        this.emit('pong', { id: recordOf(frame, 'id') ?? '', tsc: wholeNumberOf(frame, 'tsc') });
        return;
      // Types that are not known are ignored: a later version of the contract may have them.
    }
  }
}

function endOf(frame: Frame): ProgramEnd {
  if (recordOf(frame, 'signal') === undefined) return { status: numberOf(frame, 'status') };
  return { signal: numberOf(frame, 'signal'), core: recordOf(frame, 'core') === '1' };
}

/** As shells have it: the status itself, or 128 and the signal's number. */
export function exitStatus(end: ProgramEnd): number {
  return 'status' in end ? end.status & 0xff : 128 + end.signal;
}
