// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import {
  AGENT,
  type AgentFrame,
  AgentFrameDecoder,
  encodeAgentFrame,
  encodeAgentRecords,
  OPEN_MAX,
  recordsOf,
} from '../../guest-contract/agent-frames.ts';
import { numberOf } from '../../guest-contract/frames.ts';
import type { TerminalSize } from '../../guest-contract/start.ts';
import type { RunEnd } from '../state/run-state.ts';

/** So many bytes may wait for one who reads slowly. */
const WAITING_MAX = 1024 ** 2;

/** What those who are attached can do with the program. */
export interface AttachedProgram {
  signal(number: number): void;
  resize(size: TerminalSize): void;
}

/**
 * Those who are attached to the instance's program. They never slow it down: one who reads too slowly is let go, and the
 * log has everything.
 */
export class Attachments {
  readonly #program: AttachedProgram;
  readonly #sockets = new Set<Socket>();
  /** The program's standard input, where it has one. It stays open when those who are attached leave. */
  readonly input: PassThrough | undefined;

  constructor(program: AttachedProgram, takesInput: boolean) {
    this.#program = program;
    this.input = takesInput ? new PassThrough() : undefined;
  }

  /** A sink for one of the program's streams: it goes to another sink, and to all who are attached. */
  tee(sink: Writable, stream: 'stdout' | 'stderr'): Writable {
    const type = stream === 'stdout' ? AGENT.output : AGENT.error;
    return new Writable({
      decodeStrings: true,
      write: (chunk: Buffer, _encoding, done) => {
        for (const socket of this.#sockets) this.#pass(socket, type, chunk);
        sink.write(chunk, () => done());
      },
      final: (done) => void sink.end(done),
    });
  }

  add(socket: Socket): void {
    const decoder = new AgentFrameDecoder(OPEN_MAX);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const frame of decoder.push(chunk)) this.#receive(socket, frame);
      } catch {
        // Nobody who keeps to the frames: nothing is lost with that.
        socket.destroy();
      }
    });
    socket.resume();
  }

  /** The program has ended. */
  end({ status, signal }: RunEnd): void {
    const [key, value] = signal === undefined ? (['status', status] as const) : (['signal', signal] as const);
    for (const socket of this.#sockets) socket.end(encodeAgentRecords(AGENT.exit, 0, [[key, String(value)]]));
    this.#sockets.clear();
    this.input?.destroy();
  }

  #pass(socket: Socket, type: number, chunk: Buffer): void {
    if (socket.writableLength <= WAITING_MAX) {
      socket.write(encodeAgentFrame(type, 0, chunk));
      return;
    }
    this.#sockets.delete(socket);
    const message = 'the output was read too slowly: uk logs has all of it';
    socket.end(encodeAgentRecords(AGENT.detached, 0, [['message', message]]));
  }

  #receive(socket: Socket, frame: AgentFrame): void {
    switch (frame.type) {
      case AGENT.input:
        if (this.input === undefined || this.input.destroyed) return;
        if (!this.input.write(frame.payload)) {
          socket.pause();
          this.input.once('drain', () => socket.resume());
        }
        return;
      case AGENT.signal:
        this.#program.signal(numberOf({ type: frame.type, ...recordsOf(frame) }, 'number'));
        return;
      case AGENT.resize: {
        const records = { type: frame.type, ...recordsOf(frame) };
        this.#program.resize({ rows: numberOf(records, 'rows'), columns: numberOf(records, 'columns') });
        return;
      }
    }
  }
}
